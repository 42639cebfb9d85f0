//! Shows detectors the counts of pods, a tick at a time.

use std::time::Duration;

use detect::{Anomaly, Class, Count, Detectors, Observation, Settings, Subject, Time, VolumeClass};

pub(crate) const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};
pub(crate) const TICK_MS: u64 = 100;
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);

/// Adds so much of something to an observation.
pub(crate) type Fill = fn(&mut Observation, u64);

pub(crate) const fn ms(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000)
}

pub(crate) fn at(since: Duration) -> Time {
    Time::default() + since
}

pub(crate) fn observation(fill: impl FnOnce(&mut Observation)) -> Observation {
    let mut observation = Observation::empty(SUBJECT);
    fill(&mut observation);
    observation
}

/// What the pod initiates, with the packets that go with it.
pub(crate) fn initiates(observation: &mut Observation, class: Class, packets: u64) {
    observation.initiated[class as usize] += packets;
    let volume = match class {
        Class::Udp => VolumeClass::Udp,
        Class::Echo => VolumeClass::Icmp,
        _ => VolumeClass::Tcp,
    };
    observation.sent[volume as usize].packets += packets;
}

pub(crate) fn counts(observation: &mut Observation, count: Count, packets: u64) {
    observation.counts[count as usize] += packets;
}

pub(crate) fn receives(observation: &mut Observation, class: VolumeClass, packets: u64) {
    observation.received[class as usize].packets += packets;
}

pub(crate) fn sends_bytes(observation: &mut Observation, bytes: u64) {
    observation.sent[VolumeClass::Tcp as usize].bytes += bytes;
}

pub(crate) fn default() -> Detectors {
    Detectors::new(Settings::default())
}

/// What is found in one observation after the other, one a tick from `start` on.
pub(crate) fn play(
    detectors: &mut Detectors,
    start: Time,
    observations: impl IntoIterator<Item = Observation>,
) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for (tick, observation) in (1..).zip(observations) {
        let now = start + Duration::from_millis(TICK_MS) * tick;
        detectors.observe(&observation, now, &mut found);
    }
    found
}

/// Lets hours pass in which a pod sends so many bytes in each minute, at once.
pub(crate) fn teach(
    detectors: &mut Detectors,
    subject: Subject,
    hours: std::ops::Range<u64>,
    bytes: impl Fn(u64) -> u64,
) -> Vec<Anomaly> {
    let mut found = Vec::new();
    for minute in hours.start * 60..hours.end * 60 {
        let mut observation = Observation::empty(subject);
        sends_bytes(&mut observation, bytes(minute));
        let now = at(Duration::from_secs(minute * 60));
        detectors.observe(&observation, now, &mut found);
    }
    found
}

/// Two megabits a second, as its observations show it.
pub(crate) fn upload(seconds: u64) -> impl Iterator<Item = Observation> {
    let tick = observation(|it| sends_bytes(it, 2_000_000 / 8 * TICK_MS / 1000));
    std::iter::repeat_n(tick, (seconds * 1000 / TICK_MS) as usize)
}

pub(crate) fn ids(found: &[Anomaly]) -> Vec<&'static str> {
    found.iter().map(|anomaly| anomaly.detector).collect()
}
