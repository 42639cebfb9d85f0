//! Writes DNS messages and plays them to the detectors as the datapath would show them, a tick at a time.

use std::net::{IpAddr, Ipv4Addr};

use detect::{
    Anomaly, Detectors, Mode, Observation, Sample, SampleKind, Settings, Severity, State, Subject,
    Time,
};

const SUBJECT: Subject = Subject {
    ifindex: 7,
    epoch: 1,
};
const POD: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 244, 0, 11));
pub(crate) const SERVER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10));
const TICK_MS: u64 = 100;
/// Bytes of a payload that a sample shows.
const SHOWN: usize = 192;

pub(crate) const A: u16 = 1;
pub(crate) const NULL: u16 = 10;
pub(crate) const PTR: u16 = 12;
pub(crate) const SRV: u16 = 33;
pub(crate) const TXT: u16 = 16;
pub(crate) const IXFR: u16 = 251;
pub(crate) const AXFR: u16 = 252;
pub(crate) const NO_ERROR: u16 = 0;
pub(crate) const NXDOMAIN: u16 = 3;
pub(crate) const REFUSED: u16 = 5;

/// A question in the form of the wire.
fn question(name: &str, rtype: u16) -> Vec<u8> {
    let labels = name.split('.').filter(|label| !label.is_empty());
    let mut bytes: Vec<u8> = labels
        .flat_map(|label| [&[label.len() as u8][..], label.as_bytes()].concat())
        .collect();
    bytes.push(0);
    bytes.extend(rtype.to_be_bytes());
    bytes.extend([0, 1]);
    bytes
}

fn message(flags: u16, counts: [u16; 4], rest: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34];
    bytes.extend(flags.to_be_bytes());
    bytes.extend(counts.into_iter().flat_map(u16::to_be_bytes));
    bytes.extend(rest.concat());
    bytes
}

/// A query for a name.
pub(crate) fn query(name: &str, rtype: u16) -> Vec<u8> {
    message(0x0100, [1, 0, 0, 0], &[&question(name, rtype)])
}

/// A query with a signature.
pub(crate) fn signed(name: &str, rtype: u16) -> Vec<u8> {
    let signature = [0, 0, 250, 0, 255, 0, 0, 0, 0, 0, 0];
    let parts = [&question(name, rtype)[..], &signature];
    message(0x0100, [1, 0, 0, 1], &parts)
}

/// An answer without records.
pub(crate) fn empty(name: &str, rtype: u16, rcode: u16) -> Vec<u8> {
    message(0x8180 | rcode, [1, 0, 0, 0], &[&question(name, rtype)])
}

/// An answer with one record of so many bytes.
pub(crate) fn answer(name: &str, rtype: u16, bytes: u16) -> Vec<u8> {
    let [high, low] = rtype.to_be_bytes();
    let [more, less] = bytes.to_be_bytes();
    let record = [0xc0, 12, high, low, 0, 1, 0, 0, 0, 30, more, less];
    let data = vec![b'x'; bytes.into()];
    let parts = [&question(name, rtype)[..], &record, &data];
    message(0x8180, [1, 1, 0, 0], &parts)
}

/// A denial by the zone that begins after so many labels of the name.
pub(crate) fn denial(name: &str, labels: usize) -> Vec<u8> {
    let before: usize = name.split('.').take(labels).map(|it| it.len() + 1).sum();
    let zone = [0xc0, 12 + before as u8];
    let record = [&zone[..], &[0, 6, 0, 1, 0, 0, 0, 30, 0, 2], &zone].concat();
    message(0x8183, [1, 0, 1, 0], &[&question(name, A), &record])
}

/// A datagram with the beginning of a message.
pub(crate) fn datagram(at_ms: u64, sent: bool, bytes: &[u8]) -> Sample {
    Sample {
        at: ms(at_ms),
        kind: SampleKind::Dns,
        sent,
        pod: POD,
        pod_port: 40_000,
        peer: SERVER,
        port: 53,
        payload: bytes.iter().copied().take(SHOWN).collect(),
        payload_bytes: bytes.len() as u32,
    }
}

/// The first data of a connection to a name server: a message with its length.
pub(crate) fn stream(at_ms: u64, sent: bool, bytes: &[u8]) -> Sample {
    let length = (bytes.len() as u16).to_be_bytes();
    Sample {
        kind: SampleKind::FirstData,
        ..datagram(at_ms, sent, &[&length, bytes].concat())
    }
}

/// The same between a client and the name server in the pod.
pub(crate) fn serving(sample: Sample) -> Sample {
    Sample {
        pod_port: 53,
        port: 40_000,
        ..sample
    }
}

/// A query, and an answer to it.
pub(crate) fn exchange(at_ms: u64, name: &str, rtype: u16, answer: &[u8]) -> [Sample; 2] {
    [
        datagram(at_ms, true, &query(name, rtype)),
        datagram(at_ms + 1, false, answer),
    ]
}

/// A name that is asked for and does not exist.
pub(crate) fn unknown(at_ms: u64, name: &str) -> [Sample; 2] {
    exchange(at_ms, name, A, &empty(name, A, NXDOMAIN))
}

/// One that does.
pub(crate) fn known(at_ms: u64, name: &str) -> [Sample; 2] {
    exchange(at_ms, name, A, &answer(name, A, 4))
}

pub(crate) const fn ms(at: u64) -> Time {
    Time::from_nanoseconds(at * 1_000_000)
}

/// What one detector finds with its defaults, a tick at a time until so long after the last message.
pub(crate) fn find(
    detector: &str,
    samples: impl IntoIterator<Item = Sample>,
    after_ms: u64,
) -> Vec<Anomaly> {
    let mut settings = Settings::off();
    *settings.mode(detector).expect("there is one") = Mode::On;
    play(settings, samples, after_ms)
}

fn play(
    settings: Settings,
    samples: impl IntoIterator<Item = Sample>,
    after_ms: u64,
) -> Vec<Anomaly> {
    let (mut detectors, mut found) = (Detectors::new(settings), Vec::new());
    let mut samples: Vec<_> = samples.into_iter().collect();
    samples.sort_by_key(|sample| sample.at);
    let last = samples.last().map_or(0, |sample| sample.at.nanoseconds()) / 1_000_000;
    let mut samples = samples.into_iter().peekable();
    for tick in 1..=(last + after_ms).div_ceil(TICK_MS) {
        let now = ms(tick * TICK_MS);
        let mut observation = Observation::empty(SUBJECT);
        observation.samples = std::iter::from_fn(|| samples.next_if(|it| it.at <= now)).collect();
        detectors.observe(&observation, now, &mut found);
    }
    found
}

/// How each anomaly that opened did: its severity, and what was counted.
pub(crate) fn opened(found: &[Anomaly]) -> Vec<(Severity, u64)> {
    let opened = found.iter().filter(|it| it.state == State::Opened);
    opened.map(|it| (it.severity, it.crossed.counted)).collect()
}
