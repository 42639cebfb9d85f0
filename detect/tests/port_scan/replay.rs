//! Plays probes to the detector as the datapath would show them, a tick at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, Ipv4Addr},
};

use detect::{
    Anomaly, Contact, Detectors, Mode, Observation, Outcome, PortScanThresholds, Setting, Settings,
    State, Subject, Technique, Time, Transport,
};

pub(crate) const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};
pub(crate) const POD: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 244, 147, 92));
const TICK_MS: u64 = 1000;

/// What a destination does with a probe, and after how many milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answers(u64),
    Refuses(u64),
    Drops,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    pub(crate) at_ms: u64,
    pub(crate) peer: IpAddr,
    pub(crate) port: u16,
    pub(crate) fate: Fate,
}

pub(crate) const fn probe(at_ms: u64, peer: IpAddr, port: u16, fate: Fate) -> Probe {
    Probe {
        at_ms,
        peer,
        port,
        fate,
    }
}

pub(crate) const fn ms(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000)
}

/// The `n`th destination.
pub(crate) fn peer(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0af4_0000 + n).into()
}

pub(crate) const fn contact(at_ms: u64, peer: IpAddr, port: u16, outcome: Outcome) -> Contact {
    Contact {
        at: ms(at_ms),
        pod: POD,
        peer,
        port,
        transport: Transport::Tcp,
        outcome,
        spoofed: false,
        contained: false,
    }
}

/// That a probe was sent.
pub(crate) const SENT: Outcome = Outcome::Sent(Technique::Connect);

/// A probe, and its refusal at once.
pub(crate) const fn refused(at_ms: u64, peer: IpAddr, port: u16) -> [Contact; 2] {
    [
        contact(at_ms, peer, port, SENT),
        contact(at_ms, peer, port, Outcome::Refused),
    ]
}

/// The observations that probes cause, at every tick until `until_ms`.
pub(crate) fn observations(probes: &[Probe], until_ms: u64) -> Vec<(Time, Observation)> {
    let mut ticks: BTreeMap<u64, Observation> = (1..=until_ms.div_ceil(TICK_MS))
        .map(|tick| (tick, Observation::empty(SUBJECT)))
        .collect();
    let mut show = |at_ms: u64, probe: &Probe, outcome| {
        if let Some(observation) = ticks.get_mut(&at_ms.div_ceil(TICK_MS).max(1)) {
            match outcome {
                Outcome::Sent(_) => observation.tcp_ports.push(probe.port),
                Outcome::Refused => observation.refused.push(probe.port),
                Outcome::Answered => {}
            }
            observation
                .contacts
                .push(contact(at_ms, probe.peer, probe.port, outcome));
        }
    };
    for probe in probes {
        show(probe.at_ms, probe, SENT);
        match probe.fate {
            Fate::Answers(after) => show(probe.at_ms + after, probe, Outcome::Answered),
            Fate::Refuses(after) => show(probe.at_ms + after, probe, Outcome::Refused),
            Fate::Drops => {}
        }
    }
    let sorted = |ports: &[u16]| {
        BTreeSet::from_iter(ports.iter().copied())
            .into_iter()
            .collect()
    };
    ticks
        .into_iter()
        .map(|(tick, mut observation)| {
            observation.contacts.sort_by_key(|contact| contact.at);
            observation.tcp_ports = sorted(&observation.tcp_ports);
            observation.refused = sorted(&observation.refused);
            (ms(tick * TICK_MS), observation)
        })
        .collect()
}

/// The detector of port scans alone.
pub(crate) fn port_scan(thresholds: PortScanThresholds) -> Detectors {
    Detectors::new(Settings {
        port_scan: Setting {
            mode: Mode::On,
            thresholds,
        },
        ..Settings::off()
    })
}

/// What a detector finds in them.
pub(crate) fn play(detector: &mut Detectors, observations: &[(Time, Observation)]) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (now, observation) in observations {
        detector.observe(observation, *now, &mut found);
    }
    found
}

/// What a new detector with the default thresholds finds in the probes.
pub(crate) fn find(probes: &[Probe], until_ms: u64) -> Vec<Anomaly> {
    play(
        &mut port_scan(PortScanThresholds::default()),
        &observations(probes, until_ms),
    )
}

pub(crate) fn states(found: &[Anomaly]) -> Vec<State> {
    found.iter().map(|anomaly| anomaly.state).collect()
}

/// Above the low ports, which have a threshold of their own.
pub(crate) const FIRST: u16 = 20_000;

/// `count` ports of one destination, one each `every_ms`.
pub(crate) fn scan(count: u16, every_ms: u64, fate: Fate) -> Vec<Probe> {
    (0..count)
        .map(|n| probe(500 + u64::from(n) * every_ms, peer(1), FIRST + n, fate))
        .collect()
}
