//! Which events are taken into the log.

use std::net::IpAddr;

use api::{
    encoding,
    v1::{self, Timestamp},
};

/// Largest event, encoded. A full one, with all its targets and ports, has about 4 KiB.
const LARGEST: usize = 64 * 1024;

const TARGETS: usize = 16;
const SAMPLE_PORTS: usize = 16;
const PORT: u32 = 65_535;

/// Why an event is refused for good.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    #[error("it has no id")]
    NoId,
    #[error("its id names node `{id}`, but the stream's hello named `{hello}`")]
    Node { id: String, hello: String },
    #[error("its id names epoch {id}, but the stream's hello named {hello}")]
    Epoch { id: u64, hello: u64 },
    #[error("its sequence {0} is not between 1 and 2^63 - 1")]
    Sequence(u64),
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its {field} {value} is unknown to this collector")]
    Unknown { field: &'static str, value: i32 },
    #[error("its {0} is no valid time")]
    Time(&'static str),
    #[error("`{0}` is no IP address")]
    Address(String),
    #[error("it has {0} targets, more than {TARGETS}")]
    Targets(usize),
    #[error("a target has {0} sample ports, more than {SAMPLE_PORTS}")]
    SamplePorts(usize),
    #[error("{0} is no port")]
    Port(u32),
    #[error("it has {0} bytes, more than {LARGEST}")]
    Large(usize),
}

/// The sequence of an event that the agent of this stream may have given it.
pub(super) fn sequence(event: &v1::Event, hello: &v1::Hello) -> Result<u64, Fault> {
    let id = event.id.as_ref().ok_or(Fault::NoId)?;
    if id.node != hello.node {
        return Err(Fault::Node {
            id: id.node.clone(),
            hello: hello.node.clone(),
        });
    }
    if id.epoch != hello.epoch {
        return Err(Fault::Epoch {
            id: id.epoch,
            hello: hello.epoch,
        });
    }
    if id.sequence == 0 || i64::try_from(id.sequence).is_err() {
        return Err(Fault::Sequence(id.sequence));
    }
    Ok(id.sequence)
}

/// What a subscriber may rely on in every event.
pub(super) fn check(event: &v1::Event) -> Result<(), Fault> {
    let size = encoding::size(event);
    if size > LARGEST {
        return Err(Fault::Large(size));
    }
    for (field, text) in [
        ("anomaly_id", &event.anomaly_id),
        ("detector", &event.detector),
    ] {
        if text.is_empty() {
            return Err(Fault::Missing(field));
        }
    }
    known(
        "state",
        event.state,
        v1::State::try_from(event.state).is_ok(),
    )?;
    known(
        "severity",
        event.severity,
        v1::Severity::try_from(event.severity).is_ok(),
    )?;
    for (field, at) in [
        ("raised_at", event.raised_at),
        ("crossed_at", event.crossed_at),
        ("first_seen", event.first_seen),
        ("last_seen", event.last_seen),
    ] {
        time(field, at)?;
    }
    address(event.source.as_ref().ok_or(Fault::Missing("source"))?)?;
    targets(&event.targets)
}

/// Zero stands for unspecified in every enumeration.
fn known(field: &'static str, value: i32, known: bool) -> Result<(), Fault> {
    match (value, known) {
        (0, _) => Err(Fault::Missing(field)),
        (_, false) => Err(Fault::Unknown { field, value }),
        (_, true) => Ok(()),
    }
}

fn time(field: &'static str, at: Option<Timestamp>) -> Result<(), Fault> {
    let at = at.ok_or(Fault::Missing(field))?;
    if at.seconds < 0 || !(0..1_000_000_000).contains(&at.nanos) {
        return Err(Fault::Time(field));
    }
    Ok(())
}

fn targets(targets: &[v1::Target]) -> Result<(), Fault> {
    if targets.len() > TARGETS {
        return Err(Fault::Targets(targets.len()));
    }
    for target in targets {
        let endpoint = target.endpoint.as_ref();
        address(endpoint.ok_or(Fault::Missing("endpoint in a target"))?)?;
        if target.sample_ports.len() > SAMPLE_PORTS {
            return Err(Fault::SamplePorts(target.sample_ports.len()));
        }
        if let Some(port) = target.sample_ports.iter().find(|port| **port > PORT) {
            return Err(Fault::Port(*port));
        }
    }
    Ok(())
}

/// Empty is unknown, which is allowed.
fn address(endpoint: &v1::Endpoint) -> Result<(), Fault> {
    let address = &endpoint.address;
    if address.is_empty() || address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Fault::Address(address.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> v1::Hello {
        v1::Hello {
            node: "n1".into(),
            epoch: 5,
            version: String::new(),
        }
    }

    fn event() -> v1::Event {
        let at = Some(Timestamp {
            seconds: 100,
            nanos: 0,
        });
        v1::Event {
            id: Some(v1::EventId {
                node: "n1".into(),
                epoch: 5,
                sequence: 1,
            }),
            anomaly_id: "n1/5/1.1/port_scan/1".into(),
            state: v1::State::Opened.into(),
            detector: "port_scan".into(),
            severity: v1::Severity::High.into(),
            raised_at: at,
            crossed_at: at,
            first_seen: at,
            last_seen: at,
            source: Some(v1::Endpoint::default()),
            targets: vec![v1::Target {
                endpoint: Some(v1::Endpoint::default()),
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    #[test]
    fn each_fault_is_told() {
        type Spoil = fn(&mut v1::Event);
        fn id(event: &mut v1::Event) -> &mut v1::EventId {
            event.id.get_or_insert_default()
        }
        let cases: [(Spoil, &str); 20] = [
            (|it| it.id = None, "it has no id"),
            (|it| id(it).node = "n2".into(), "its id names node `n2`"),
            (|it| id(it).epoch = 6, "its id names epoch 6"),
            (|it| id(it).sequence = 0, "its sequence 0 is not"),
            (
                |it| id(it).sequence = u64::MAX,
                "its sequence 18446744073709551615 is not",
            ),
            (|it| it.anomaly_id.clear(), "it has no anomaly_id"),
            (|it| it.detector.clear(), "it has no detector"),
            (|it| it.state = 0, "it has no state"),
            (|it| it.state = 99, "its state 99 is unknown"),
            (|it| it.severity = 0, "it has no severity"),
            (|it| it.severity = -1, "its severity -1 is unknown"),
            (|it| it.raised_at = None, "it has no raised_at"),
            (
                |it| {
                    it.last_seen = Some(Timestamp {
                        seconds: -1,
                        nanos: 0,
                    })
                },
                "its last_seen is no valid time",
            ),
            (|it| it.source = None, "it has no source"),
            (
                |it| it.source.get_or_insert_default().address = "10.0".into(),
                "`10.0` is no IP address",
            ),
            (
                |it| it.targets = vec![it.targets[0].clone(); 17],
                "it has 17 targets",
            ),
            (
                |it| it.targets[0].endpoint = None,
                "it has no endpoint in a target",
            ),
            (
                |it| it.targets[0].sample_ports = vec![1; 17],
                "a target has 17 sample ports",
            ),
            (
                |it| it.targets[0].sample_ports = vec![65_536],
                "65536 is no port",
            ),
            (
                |it| it.anomaly_id = "x".repeat(LARGEST),
                "bytes, more than 65536",
            ),
        ];
        let fault = |event: &v1::Event| {
            let fault = sequence(event, &hello()).err();
            fault.or_else(|| check(event).err())
        };
        assert!(fault(&event()).is_none());
        for (spoil, expected) in cases {
            let mut event = event();
            spoil(&mut event);
            let fault = fault(&event).map(|it| it.to_string()).unwrap_or_default();
            assert!(fault.contains(expected), "{fault} is not {expected}");
        }
    }
}
