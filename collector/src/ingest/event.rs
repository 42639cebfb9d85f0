//! Which events are taken into the log.

use std::net::IpAddr;

use api::{port_sets, v1};

use super::field::{Fault, few, number, set, text, time};

/// Largest event, encoded. A full one, with all its targets and ports, has about 4 KiB.
const LARGEST: usize = 64 * 1024;

const TARGETS: usize = 16;
const SAMPLE_PORTS: usize = 16;
const SAMPLES: usize = 16;
const ATTACK_IDS: usize = 16;
const PORT: u32 = 65_535;
const PERCENT: u32 = 100;

/// Longest texts, in bytes. Kubernetes gives names of 253 at most, and DNS of 255, each byte of which is
/// four when it is written as `\xHH`.
const ANOMALY: usize = 512;
const NAME: usize = 253;
const SHORT: usize = 64;
const SAMPLE: usize = 4096;
const SUMMARY: usize = 32 * 1024;

/// What a subscriber may rely on in every event.
pub(super) fn check(event: &v1::Event) -> Result<(), Fault> {
    text_limits(event)?;
    for (field, text) in [
        ("anomaly_id", &event.anomaly_id),
        ("detector", &event.detector),
    ] {
        if text.is_empty() {
            return Err(Fault::Missing(field));
        }
    }
    set("state", event.state)?;
    set("severity", event.severity)?;
    number("technique", event.technique)?;
    number("durability", event.durability)?;
    for (field, at) in [
        ("raised_at", event.raised_at),
        ("crossed_at", event.crossed_at),
        ("first_seen", event.first_seen),
        ("last_seen", event.last_seen),
    ] {
        time(field, at.ok_or(Fault::Missing(field))?)?;
    }
    if let Some(crossed) = &event.crossed {
        set("measure", crossed.measure)?;
        if let Some(window) = crossed.window
            && (window.seconds < 0 || !(0..1_000_000_000).contains(&window.nanos))
        {
            return Err(Fault::Window);
        }
    }
    if let Some(coverage) = &event.coverage
        && coverage.reply_filter_percent > PERCENT
    {
        return Err(Fault::Number {
            field: "reply_filter_percent",
            value: i32::try_from(coverage.reply_filter_percent).unwrap_or(i32::MAX),
        });
    }
    if event.triage.is_some() {
        return Err(Fault::Triage);
    }
    if let Some(ports) = &event.ports {
        port_sets(ports)?;
    }
    if let Some(taken) = &event.action {
        action(taken)?;
    }
    endpoint(event.source.as_ref().ok_or(Fault::Missing("source"))?)?;
    targets(&event.targets)
}

fn port_sets(ports: &v1::PortCounts) -> Result<(), Fault> {
    let sets = [&ports.distinct_set, &ports.refused_set, &ports.answered_set];
    for set in sets.into_iter().flatten() {
        port_sets::runs(set).map_err(|_| Fault::PortSet)?;
    }
    Ok(())
}

/// What it takes in the log, with all that the collector has added.
pub(super) fn check_size(length: usize) -> Result<(), Fault> {
    if length > LARGEST {
        return Err(Fault::Long {
            field: "encoding",
            length,
            limit: LARGEST,
        });
    }
    Ok(())
}

fn text_limits(event: &v1::Event) -> Result<(), Fault> {
    text("anomaly_id", &event.anomaly_id, ANOMALY)?;
    text("detector", &event.detector, SHORT)?;
    text("summary", &event.summary, SUMMARY)?;
    few("samples", &event.samples, SAMPLES)?;
    for sample in &event.samples {
        text("sample", sample, SAMPLE)?;
    }
    few("attack_ids", &event.attack_ids, ATTACK_IDS)?;
    for id in &event.attack_ids {
        text("attack_id", id, SHORT)?;
    }
    Ok(())
}

fn action(action: &v1::Action) -> Result<(), Fault> {
    set("action", action.kind)?;
    text("reason", &action.reason, SUMMARY)?;
    text("operator", &action.by, NAME)?;
    text("command_id", &action.command_id, SHORT)?;
    text("anomaly_id", &action.anomaly_id, ANOMALY)?;
    action
        .lease_until
        .map_or(Ok(()), |at| time("lease_until", at))
}

fn targets(targets: &[v1::Target]) -> Result<(), Fault> {
    few("targets", targets, TARGETS)?;
    for target in targets {
        let reached = target.endpoint.as_ref();
        endpoint(reached.ok_or(Fault::Missing("endpoint in a target"))?)?;
        few(
            "sample ports of a target",
            &target.sample_ports,
            SAMPLE_PORTS,
        )?;
        // Nobody listens on port 0, but it is scanned.
        if let Some(port) = target.sample_ports.iter().find(|port| **port > PORT) {
            return Err(Fault::Port(*port));
        }
    }
    Ok(())
}

fn endpoint(endpoint: &v1::Endpoint) -> Result<(), Fault> {
    for (field, name) in [
        ("namespace", &endpoint.namespace),
        ("pod", &endpoint.pod),
        ("uid", &endpoint.uid),
        ("interface", &endpoint.interface),
        ("workload", &endpoint.workload),
        ("address", &endpoint.address),
    ] {
        text(field, name, NAME)?;
    }
    // Empty is unknown, which is allowed.
    let address = &endpoint.address;
    if address.is_empty() || address.parse::<IpAddr>().is_ok() {
        return Ok(());
    }
    Err(Fault::Address(address.clone()))
}

#[cfg(test)]
mod tests {
    use api::{encoding, v1::Timestamp};

    use super::*;

    fn event() -> v1::Event {
        let at = Some(Timestamp {
            seconds: 100,
            nanos: 0,
        });
        v1::Event {
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
            crossed: Some(v1::Criterion {
                measure: v1::Measure::DistinctPorts.into(),
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    type Spoil = fn(&mut v1::Event);

    fn check_all(cases: &[(Spoil, &str)]) {
        check(&event()).unwrap();
        for (spoil, expected) in cases {
            let mut event = event();
            spoil(&mut event);
            let fault = check(&event).and_then(|()| check_size(encoding::size(&event)));
            let fault = fault.unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault} is not {expected}");
        }
    }

    #[test]
    fn what_only_a_newer_agent_knows_is_no_fault() {
        let newer: [Spoil; 6] = [
            |it| it.state = 99,
            |it| it.severity = 99,
            |it| it.technique = 99,
            |it| it.durability = 99,
            |it| it.crossed.get_or_insert_default().measure = 999,
            |it| it.action.get_or_insert_default().kind = 99,
        ];
        for (index, change) in newer.into_iter().enumerate() {
            let mut event = event();
            change(&mut event);
            assert!(check(&event).is_ok(), "{index}");
        }
    }

    #[test]
    fn what_is_missing_or_impossible_is_told() {
        check_all(&[
            (|it| it.anomaly_id.clear(), "it has no anomaly_id"),
            (|it| it.detector.clear(), "it has no detector"),
            (|it| it.state = 0, "it has no state"),
            (|it| it.severity = 0, "it has no severity"),
            (|it| it.severity = -1, "its severity cannot be -1"),
            (|it| it.technique = -1, "its technique cannot be -1"),
            (|it| it.durability = -9, "its durability cannot be -9"),
            (
                |it| it.crossed.get_or_insert_default().measure = 0,
                "it has no measure",
            ),
            (
                |it| it.coverage.get_or_insert_default().reply_filter_percent = 101,
                "its reply_filter_percent cannot be 101",
            ),
            (
                |it| it.action = Some(v1::Action::default()),
                "it has no action",
            ),
            (|it| it.raised_at = None, "it has no raised_at"),
            (
                |it| it.triage = Some(v1::Triage::default()),
                "it says what a person made of an anomaly",
            ),
            (
                |it| {
                    let ports = v1::port_set::Ports::Bitmap(vec![1]);
                    let ports = v1::PortSet { ports: Some(ports) };
                    it.ports.get_or_insert_default().refused_set = Some(ports);
                },
                "one of its sets of ports is none",
            ),
            (|it| it.source = None, "it has no source"),
            (
                |it| it.targets[0].endpoint = None,
                "it has no endpoint in a target",
            ),
        ]);
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        check_all(&[
            (
                |it| it.last_seen.get_or_insert_default().seconds = -1,
                "its last_seen is no valid time",
            ),
            (
                |it| it.raised_at.get_or_insert_default().seconds = i64::MAX,
                "its raised_at is no valid time",
            ),
            (
                |it| {
                    let crossed = it.crossed.get_or_insert_default();
                    crossed.window.get_or_insert_default().seconds = -1;
                },
                "its window is no valid duration",
            ),
            (
                |it| it.source.get_or_insert_default().address = "10.0".into(),
                "`10.0` is no IP address",
            ),
            (
                |it| it.targets[0].sample_ports = vec![65_536],
                "65536 is no port",
            ),
        ]);
    }

    #[test]
    fn what_is_too_much_is_told() {
        check_all(&[
            (
                |it| it.targets = vec![it.targets[0].clone(); 17],
                "it has 17 targets",
            ),
            (
                |it| it.targets[0].sample_ports = vec![1; 17],
                "it has 17 sample ports of a target",
            ),
            (
                |it| it.samples = vec![String::new(); 17],
                "it has 17 samples",
            ),
            (
                |it| it.samples = vec!["x".repeat(4097)],
                "its sample has 4097 bytes",
            ),
            (
                |it| it.attack_ids = vec![String::new(); 17],
                "it has 17 attack_ids",
            ),
            (
                |it| it.attack_ids = vec!["x".repeat(65)],
                "its attack_id has 65 bytes",
            ),
            (|it| it.summary = "x".repeat(SUMMARY + 1), "its summary has"),
            (
                |it| it.anomaly_id = "x".repeat(513),
                "its anomaly_id has 513 bytes",
            ),
            (
                |it| it.detector = "x".repeat(65),
                "its detector has 65 bytes",
            ),
            (
                |it| it.source.get_or_insert_default().pod = "x".repeat(254),
                "its pod has 254 bytes",
            ),
            (
                |it| {
                    let labels = &mut it.source.get_or_insert_default().labels;
                    labels.insert("app".into(), "x".repeat(LARGEST));
                },
                "bytes, more than 65536",
            ),
        ]);
    }
}
