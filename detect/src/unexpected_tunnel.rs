//! Tells of pods that send packets within packets.
//!
//! Looks for IP protocols that carry others (IPIP, 6in4, GRE, ESP, AH, EtherIP, L2TP, MPLS), and for answers from
//! the UDP ports of tunnels. What is in a tunnel is hidden from policies and from every other detector; an
//! ordinary workload has no use for one, and a VPN client, a router or an egress gateway lives by it.
//! Packets do not tell the two apart, so this is worth knowing and never more.
//!
//! What a peer sends back turns the packets to it into replies, which are not counted: of a tunnel with traffic
//! both ways the answer is what shows it, and of a one-sided one the packets. A packet to the UDP port of a
//! tunnel shows nothing, for scans send them too.
//!
//! Evaded by a tunnel over any other port, in TLS, in DNS or in ICMP, of which the latter two have detectors.

use std::time::Duration;

use crate::{
    Anomaly, Class, Measure, Severity, Transport, VolumeClass, Words,
    case::Sign,
    detector::{Detector, Seen},
    limits::{DAY, SECOND, thresholds},
    packets::{Packets, Rule},
    probes::{Fate, Probes, Step},
};

thresholds! {
    /// Thresholds of the detector of tunnels.
    Thresholds {
        /// Unanswered packets of protocols that carry others, within a minute; 20.
        ///
        /// A scan of IP protocols sends two of each at most (`nmap -sO` repeats one that is silent), which makes 18.
        packets_per_minute: u32 = 20, 1 => 1_000_000,
            "packets of a tunnel that nobody answers";
        /// The same, when one was answered by the same protocol, the answer included; 2.
        ///
        /// One each way: only the other end of a tunnel speaks its protocol.
        answered_per_minute: u32 = 2, 1 => 1_000_000,
            "packets of a tunnel whose other end answers";
        /// An anomaly with nothing new for this long is closed; 10 min.
        ///
        /// Tunnels live for long, and idle ones send a sign of life every few minutes.
        quiet: Duration = Duration::from_secs(600), SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// Protocols that carry others, by number (IANA, Assigned Internet Protocol Numbers).
const PROTOCOLS: [(u16, &str); 9] = [
    (4, "IPIP"),
    (41, "6in4"),
    (47, "GRE"),
    (50, "ESP"),
    (51, "AH"),
    (94, "IPIP"),
    (97, "EtherIP"),
    (115, "L2TP"),
    (137, "MPLS in IP"),
];

/// UDP ports of tunnels (IANA, Service Name and Transport Protocol Port Number Registry; 8472 and 51820 by
/// custom of Linux and WireGuard).
const PORTS: [(u16, &str); 8] = [
    (1194, "OpenVPN"),
    (1701, "L2TP"),
    (3544, "Teredo"),
    (4500, "ESP in UDP"),
    (4789, "VXLAN"),
    (6081, "Geneve"),
    (8472, "VXLAN"),
    (51_820, "WireGuard"),
];

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    packets: Packets,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "unexpected_tunnel";

    const WORDS: Words = Words {
        opened: "sent packets within packets to {}",
        updated: "still sends packets within packets to {}",
        closed: "stopped sending packets within packets to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let (mut sent, mut answers) = (0, 0);
        for step in seen.steps {
            match step.fate {
                Fate::Sent { .. } if step.service.transport == Transport::Protocol => {
                    sent += u64::from(tunnel(step).is_some());
                }
                Fate::Answered if tunnel(step).is_some() => answers += 1,
                _ => {}
            }
        }
        let observation = seen.observation;
        let is_tunnel = |&number: &u8| name(&PROTOCOLS, number.into()).is_some();
        if !observation.protocols.is_empty() && observation.protocols.iter().all(is_tunnel) {
            sent = sent.max(observation.initiated[Class::Protocol as usize]);
        }
        // That the probe of UDP was one of a tunnel is known with the answer.
        let packets = sent + 2 * answers;
        let rule = Rule {
            detector: Self::ID,
            attack_ids: &["T1572"],
            severity: Severity::Info,
            measure: Measure::TunnelPackets,
            threshold: if answers > 0 {
                thresholds.answered_per_minute
            } else {
                thresholds.packets_per_minute
            },
            holds: true,
            quiet: thresholds.quiet,
        };
        // Replies are not counted, but have a volume. Whatever else is of that class keeps it open too.
        if observation.sent[VolumeClass::Other as usize].packets > 0 {
            self.packets.keep_open(seen.now);
        }
        self.packets.observe(seen, packets, signs, &rule);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.packets.heap_bytes()
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        self.packets.close(probes, found);
    }
}

fn signs(seen: &Seen<'_>) -> Vec<Sign> {
    let shown = seen.steps.iter().filter_map(|step| {
        let sent =
            matches!(step.fate, Fate::Sent { .. }) && step.service.transport == Transport::Protocol;
        let shows = sent || matches!(step.fate, Fate::Answered);
        let name = tunnel(step).filter(|_| shows)?;
        Some(Sign {
            at: step.at,
            passed_at: step.passed_at,
            target: Some(step.address),
            technique: step.technique,
            sample: Some(name.to_owned()),
            ..Sign::default()
        })
    });
    shown.collect()
}

/// The tunnel that a probe or its answer is of.
fn tunnel(step: &Step) -> Option<&'static str> {
    match step.service.transport {
        Transport::Protocol => name(&PROTOCOLS, step.service.port),
        Transport::Udp => name(&PORTS, step.service.port),
        _ => None,
    }
}

fn name(names: &[(u16, &'static str)], number: u16) -> Option<&'static str> {
    let named = names.iter().find(|&&(it, _)| it == number);
    named.map(|&(_, name)| name)
}
