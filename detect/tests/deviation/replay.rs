//! Plays observations to one detector.

use std::net::{IpAddr, Ipv4Addr};

use detect::{
    Anomaly, Class, Contact, Detectors, Mode, Observation, Outcome, Settings, Severity, State,
    Subject, Technique, Time, Transport,
};

pub(crate) const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};
pub(crate) const POD: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 244, 147, 92));

pub(crate) const fn ms(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000)
}

/// The `n`th destination.
pub(crate) fn peer(n: u32) -> IpAddr {
    Ipv4Addr::from(0x0af4_0000 + n).into()
}

/// That a probe was sent.
pub(crate) const fn sent(
    at_ms: u64,
    peer: IpAddr,
    transport: Transport,
    port: u16,
    technique: Technique,
) -> Contact {
    Contact {
        at: ms(at_ms),
        pod: POD,
        peer,
        port,
        transport,
        outcome: Outcome::Sent(technique),
        spoofed: false,
        contained: false,
    }
}

/// An observation of so many initiating packets of a class.
pub(crate) fn packets(class: Class, packets: u64) -> Observation {
    let mut observation = Observation::empty(SUBJECT);
    observation.initiated[class as usize] = packets;
    observation
}

/// One detector alone, with its default thresholds.
pub(crate) fn only(detector: &str) -> Detectors {
    let mut settings = Settings::off();
    let Ok(mode) = settings.mode(detector) else {
        panic!("no detector {detector}");
    };
    *mode = Mode::On;
    Detectors::new(settings)
}

/// What one detector finds in observations at their milliseconds.
pub(crate) fn find(
    detector: &str,
    observations: impl IntoIterator<Item = (u64, Observation)>,
) -> Vec<Anomaly> {
    let (mut detectors, mut found) = (only(detector), Vec::new());
    for (at, observation) in observations {
        detectors.observe(&observation, ms(at), &mut found);
    }
    found
}

/// The steps of a life, and how bad it was.
pub(crate) fn life(found: &[Anomaly]) -> Vec<(State, Severity)> {
    found.iter().map(|it| (it.state, it.severity)).collect()
}

/// One observation of nothing.
pub(crate) fn nothing(at: u64) -> (u64, Observation) {
    (at, Observation::empty(SUBJECT))
}
