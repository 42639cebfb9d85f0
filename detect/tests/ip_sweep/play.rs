//! Plays probes to the detector, a tick at a time.

use std::{collections::BTreeMap, net::IpAddr};

use detect::{
    Anomaly, Contact, Detectors, IpSweepThresholds, Mode, Observation, Outcome, Setting, Settings,
    Subject, Technique, Time, Transport,
};

const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};
const TICK_MS: u64 = 100;

/// What became of a probe, and after how many milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Answers(u64),
    Refuses(u64),
    Drops,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Probe {
    pub(crate) at_ms: u64,
    pub(crate) host: u32,
    pub(crate) transport: Transport,
    pub(crate) port: u16,
    pub(crate) fate: Fate,
}

/// Over TCP.
pub(crate) const fn probe(at_ms: u64, host: u32, port: u16, fate: Fate) -> Probe {
    Probe {
        at_ms,
        host,
        transport: Transport::Tcp,
        port,
        fate,
    }
}

pub(crate) const fn ms(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000)
}

pub(crate) fn host(n: u32) -> IpAddr {
    IpAddr::from((0x0af4_0000 + n).to_be_bytes())
}

/// What the detector finds in the probes until then, with these thresholds.
pub(crate) fn find_with(
    thresholds: IpSweepThresholds,
    probes: &[Probe],
    until_ms: u64,
) -> Vec<Anomaly> {
    let mut contacts: BTreeMap<u64, Vec<Contact>> = BTreeMap::new();
    for probe in probes {
        let mut show = |at_ms, outcome| {
            contacts.entry(at_ms).or_default().push(Contact {
                at: ms(at_ms),
                pod: host(0),
                peer: host(probe.host),
                transport: probe.transport,
                port: probe.port,
                outcome,
                spoofed: false,
                contained: false,
            });
        };
        show(probe.at_ms, Outcome::Sent(Technique::Connect));
        match probe.fate {
            Fate::Answers(after) => show(probe.at_ms + after, Outcome::Answered),
            Fate::Refuses(after) => show(probe.at_ms + after, Outcome::Refused),
            Fate::Drops => {}
        }
    }
    let mut detectors = Detectors::new(Settings {
        ip_sweep: Setting {
            mode: Mode::On,
            thresholds,
        },
        ..Settings::off()
    });
    let mut found = Vec::new();
    let mut contacts = contacts.into_iter().peekable();
    for now_ms in (0..=until_ms).step_by(TICK_MS as usize) {
        let mut observation = Observation::empty(SUBJECT);
        while let Some((_, due)) = contacts.next_if(|(at_ms, _)| *at_ms <= now_ms) {
            observation.contacts.extend(due);
        }
        detectors.observe(&observation, ms(now_ms), &mut found);
    }
    found
}

pub(crate) fn find(probes: &[Probe], until_ms: u64) -> Vec<Anomaly> {
    find_with(IpSweepThresholds::default(), probes, until_ms)
}
