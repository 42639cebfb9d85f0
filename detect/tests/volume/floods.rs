//! Ceilings hold from the first minute on, with nothing learned.

use detect::{
    Class, Contact, Count, Outcome, Role, Severity, State, Technique, Transport, VolumeClass,
};

use crate::replay::{Fill, counts, default, ids, initiates, ms, observation, play, receives};

/// Each kind and side with its ceiling, and the packets of which it is made.
const FLOODS: [(&str, &str, u64, Fill); 8] = [
    ("syn_flood", "sent", 2000, |it, n| {
        initiates(it, Class::Syn, n)
    }),
    ("syn_flood", "received", 2000, |it, n| {
        counts(it, Count::Probes, n);
        receives(it, VolumeClass::Tcp, n);
    }),
    ("udp_flood", "sent", 2000, |it, n| {
        initiates(it, Class::Udp, n)
    }),
    ("udp_flood", "received", 10_000, |it, n| {
        counts(it, Count::Probes, n);
        receives(it, VolumeClass::Udp, n);
    }),
    ("icmp_flood", "sent", 1000, |it, n| {
        initiates(it, Class::Echo, n)
    }),
    ("icmp_flood", "received", 1000, |it, n| {
        counts(it, Count::EchoesReceived, n)
    }),
    ("ack_flood", "sent", 1000, |it, n| {
        initiates(it, Class::StrayAck, n)
    }),
    ("ack_flood", "received", 1000, |it, n| {
        counts(it, Count::ResetsSent, n)
    }),
];

#[test]
fn each_ceiling_opens_at_its_count_and_not_one_below() {
    for (detector, side, ceiling, fill) in FLOODS {
        let burst = |packets| {
            let half = packets / 2;
            let halves = [half, packets - half].map(|n| observation(|it| fill(it, n)));
            play(&mut default(), ms(0), halves)
        };
        let found = burst(ceiling);
        assert_eq!(ids(&found), [detector], "{side}");
        let opened = &found[0];
        assert_eq!(opened.state, State::Opened);
        assert_eq!(opened.severity, Severity::High);
        assert_eq!(
            (opened.crossed.counted, opened.crossed.threshold),
            (ceiling, ceiling)
        );
        assert_eq!(opened.counted, ceiling);
        let role = match side {
            "sent" => Role::Source,
            _ => Role::Target,
        };
        assert_eq!(opened.role, role);
        assert!(opened.attack_ids.contains(&"T1498"));
        assert_eq!(burst(ceiling - 1), [], "{detector} {side}");
    }
}

#[test]
fn a_burst_within_a_second_is_found_wherever_it_begins() {
    for (detector, side, ceiling, fill) in FLOODS {
        for quiet_ticks in 0..20 {
            let quiet = std::iter::repeat_n(observation(|_| {}), quiet_ticks);
            let burst = (0..10).map(|tick| {
                let part = ceiling / 10 + u64::from(tick < ceiling % 10);
                observation(|it| fill(it, part))
            });
            let found = play(&mut default(), ms(0), quiet.chain(burst));
            assert_eq!(ids(&found), [detector], "{side} after {quiet_ticks} ticks");
        }
    }
}

#[test]
fn a_steady_rate_of_nine_tenths_of_the_ceiling_opens_nothing() {
    for (detector, side, ceiling, fill) in FLOODS {
        let tick = observation(|it| fill(it, ceiling / 10 * 9 / 10));
        let found = play(&mut default(), ms(0), std::iter::repeat_n(tick, 600));
        assert_eq!(found, [], "{detector} {side}");
    }
}

#[test]
fn a_fast_flood_is_found_in_less_than_half_a_second() {
    let tick = observation(|it| initiates(it, Class::Syn, 600));
    let found = play(&mut default(), ms(0), std::iter::repeat_n(tick, 40));
    assert_eq!(found[0].crossed_at, ms(400));
}

#[test]
fn everyday_traffic_raises_nothing() {
    let shapes: [(&str, Fill); 11] = [
        ("connections, each of three segments", |it, n| {
            initiates(it, Class::Syn, n);
            it.sent[VolumeClass::Tcp as usize].packets += 2 * n;
        }),
        (
            "connections to a closed port, tried again and again",
            |it, n| {
                initiates(it, Class::Syn, n);
                counts(it, Count::Refused, n);
                receives(it, VolumeClass::Tcp, n);
            },
        ),
        ("connections accepted, each of four segments", |it, n| {
            counts(it, Count::Probes, n);
            counts(it, Count::Accepted, n);
            receives(it, VolumeClass::Tcp, 4 * n);
        }),
        ("connections refused", |it, n| {
            counts(it, Count::Probes, n);
            counts(it, Count::Refusing, n);
            counts(it, Count::ResetsSent, n);
            receives(it, VolumeClass::Tcp, n);
        }),
        ("questions answered by the pod", |it, n| {
            counts(it, Count::Probes, n);
            counts(it, Count::Replies, n);
            receives(it, VolumeClass::Udp, n);
            it.sent[VolumeClass::Udp as usize].packets += n;
        }),
        ("questions answered to the pod", |it, n| {
            counts(it, Count::Replies, n);
            receives(it, VolumeClass::Udp, n);
            it.sent[VolumeClass::Udp as usize].packets += n;
        }),
        ("metrics for a closed port", |it, n| {
            initiates(it, Class::Udp, n / 8);
            counts(it, Count::Refused, n / 8);
            receives(it, VolumeClass::Icmp, n / 8);
        }),
        ("logs for the pod, half as many as the ceiling", |it, n| {
            counts(it, Count::Probes, n / 4);
            receives(it, VolumeClass::Udp, n / 4);
        }),
        ("probes of closed UDP ports of the pod", |it, n| {
            counts(it, Count::Probes, n / 4);
            counts(it, Count::Refusing, n / 4);
            counts(it, Count::Replies, n / 4);
            receives(it, VolumeClass::Udp, n / 4);
        }),
        (
            "raw SYNs whose answers the kernel resets, below the ceiling",
            |it, n| {
                initiates(it, Class::Syn, n / 12);
                counts(it, Count::ResetsSent, n / 12);
            },
        ),
        ("a download of ten gigabits a second", |it, n| {
            it.received[VolumeClass::Tcp as usize].bytes += n * 62_500;
            it.sent[VolumeClass::Tcp as usize].packets += 40 * n;
        }),
    ];
    for (shape, fill) in shapes {
        let tick = observation(|it| fill(it, 2000));
        let found = play(&mut default(), ms(0), std::iter::repeat_n(tick, 100));
        assert_eq!(found, [], "{shape}");
    }
}

#[test]
fn answers_that_the_pod_itself_refuses_tell_that_no_program_asked() {
    let answered = |refusing| {
        let tick = observation(|it| {
            counts(it, Count::Replies, 500);
            counts(it, Count::Refusing, refusing);
            receives(it, VolumeClass::Udp, 500);
        });
        play(&mut default(), ms(0), std::iter::repeat_n(tick, 20))
    };
    assert_eq!(ids(&answered(250)), ["udp_flood"]);
    assert_eq!(answered(50), []);
}

#[test]
fn a_thousand_refused_datagrams_a_second_are_excused_and_no_more() {
    for (packets, expected) in [(2999, 0), (3000, 1)] {
        let second = observation(|it| {
            initiates(it, Class::Udp, packets);
            counts(it, Count::Refused, packets);
            receives(it, VolumeClass::Icmp, packets);
        });
        let found = play(&mut default(), ms(0), [second]);
        assert_eq!(found.len(), expected, "{packets}");
    }
}

#[test]
fn refused_syns_are_excused_when_the_operating_system_sent_them() {
    for (technique, expected) in [(Technique::Connect, 0), (Technique::Syn, 1)] {
        let refused = observation(|it| {
            initiates(it, Class::Syn, 2001);
            counts(it, Count::Refused, 2001);
            receives(it, VolumeClass::Tcp, 2001);
            it.tcp_ports = vec![80];
            it.contacts = vec![Contact {
                at: ms(50),
                pod: [10, 0, 0, 1].into(),
                peer: [10, 0, 0, 2].into(),
                port: 80,
                transport: Transport::Tcp,
                outcome: Outcome::Sent(technique),
                spoofed: false,
                contained: false,
            }];
        });
        let found = play(&mut default(), ms(0), [refused]);
        assert_eq!(found.len(), expected, "{technique:?}");
    }
}

#[test]
fn a_syn_for_each_port_or_host_is_a_scan_and_no_flood() {
    let flood = |ports: u16, hosts: u64| {
        let tick = observation(|it| {
            initiates(it, Class::Syn, 2500);
            it.tcp_ports = (0..ports).collect();
            (0..hosts).for_each(|host| it.hosts.contacted.insert(host));
        });
        let found = play(&mut default(), ms(0), [tick]);
        ids(&found).contains(&"syn_flood")
    };
    assert!(flood(500, 1), "a flood of five hundred ports");
    assert!(!flood(501, 1), "2,500 SYNs but one for each of 501 ports");
    assert!(flood(1, 300));
    assert!(!flood(1, 500), "500 bits of a sketch are some 690 hosts");
}

#[test]
fn refusals_of_another_transport_excuse_nothing() {
    for (class, answer) in [
        (Class::Udp, VolumeClass::Tcp),
        (Class::Syn, VolumeClass::Icmp),
    ] {
        let tick = observation(|it| {
            initiates(it, class, 1000);
            counts(it, Count::Refused, 1000);
            receives(it, answer, 1000);
        });
        let found = play(&mut default(), ms(0), [tick.clone(), tick]);
        assert_eq!(found.len(), 1, "{class:?}");
    }
}
