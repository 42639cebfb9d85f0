//! From what a detector found to what crosses the wire.

mod taken;

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use detect::{Anomaly, Role, Severity, State, Technique, Time};
use prost_types::Timestamp;

pub use self::taken::Taken;
use crate::{port_sets, summary, v1};

/// What an anomaly does not know of itself: who raised it as which event, and when.
#[derive(Clone, Copy, Debug)]
pub struct Raised<'a> {
    /// Name of the node.
    pub node: &'a str,
    /// Start of the agent, in nanoseconds since 1970.
    pub epoch: u64,
    /// Counts up from 1 within the epoch.
    pub sequence: u64,
    /// Now.
    pub raised_at: SystemTime,
    /// The wall time of the origin of [`detect::Time`].
    pub boot: SystemTime,
    /// Host side of the pod's veth.
    pub interface: &'a str,
}

impl Raised<'_> {
    /// The event that tells of the anomaly. Pods are not named yet, see [`crate::pods::Pods`].
    #[must_use]
    pub fn event(&self, anomaly: &Anomaly) -> v1::Event {
        let sets = anomaly.port_sets.as_deref();
        let mut event = v1::Event {
            id: Some(v1::EventId {
                node: self.node.into(),
                epoch: self.epoch,
                sequence: self.sequence,
            }),
            cursor: 0,
            anomaly_id: self.anomaly_id(anomaly),
            state: state(anomaly.state).into(),
            detector: anomaly.detector.into(),
            severity: severity(anomaly.severity).into(),
            raised_at: Some(Timestamp::from(self.raised_at)),
            crossed_at: Some(self.wall(anomaly.crossed_at)),
            first_seen: Some(self.wall(anomaly.first_seen)),
            last_seen: Some(self.wall(anomaly.last_seen)),
            source: Some(match anomaly.role {
                Role::Source => self.pod(anomaly),
                Role::Target => v1::Endpoint::default(),
            }),
            targets: match anomaly.role {
                Role::Source => anomaly.targets.iter().map(target).collect(),
                Role::Target => vec![v1::Target {
                    endpoint: Some(self.pod(anomaly)),
                    ..Default::default()
                }],
            },
            further_targets: match anomaly.role {
                Role::Source => anomaly.further_targets,
                Role::Target => 0,
            },
            crossed: Some(criterion(anomaly.crossed)),
            ports: Some(v1::PortCounts {
                distinct: anomaly.ports.distinct,
                refused: anomaly.ports.refused,
                answered: anomaly.ports.answered,
                silent: anomaly.ports.silent,
                distinct_set: sets.map(|it| port_sets::encode(&it.distinct)),
                refused_set: sets.map(|it| port_sets::encode(&it.refused)),
                answered_set: sets.map(|it| port_sets::encode(&it.answered)),
            }),
            technique: technique(anomaly.technique).into(),
            shadow: anomaly.shadow,
            counted: anomaly.counted,
            samples: anomaly.samples.clone(),
            withheld: anomaly.withheld,
            action: None,
            triage: None,
            correlated_into: String::new(),
            correlated: Vec::new(),
            durability: v1::Durability::Unspecified.into(),
            attack_ids: anomaly.attack_ids.iter().map(ToString::to_string).collect(),
            summary: String::new(),
            coverage: Some(v1::Coverage {
                records_dropped: anomaly.coverage.records_dropped,
                parse_failures: anomaly.coverage.parse_failures,
                sample_rate: anomaly.coverage.sample_rate,
                spoofed_packets: anomaly.coverage.spoofed_packets,
                contained_packets: anomaly.coverage.contained_packets,
                reply_filter_percent: anomaly.coverage.reply_filter_percent,
            }),
        };
        event.summary = summary::summarize(&event);
        event
    }

    fn pod(&self, anomaly: &Anomaly) -> v1::Endpoint {
        v1::Endpoint {
            interface: self.interface.into(),
            ..anomaly.pod.map(endpoint).unwrap_or_default()
        }
    }

    /// Unique in the cluster: each part tells the ones after it apart.
    fn anomaly_id(&self, anomaly: &Anomaly) -> String {
        let subject = anomaly.id.subject;
        format!(
            "{}/{}/{}.{}/{}/{}",
            self.node,
            self.epoch,
            subject.ifindex,
            subject.epoch,
            anomaly.detector,
            anomaly.id.serial
        )
    }

    fn wall(&self, time: Time) -> Timestamp {
        Timestamp::from(self.boot + Duration::from_nanos(time.nanoseconds()))
    }
}

fn endpoint(address: IpAddr) -> v1::Endpoint {
    v1::Endpoint {
        address: address.to_canonical().to_string(),
        ..Default::default()
    }
}

fn target(target: &detect::Target) -> v1::Target {
    v1::Target {
        endpoint: Some(endpoint(target.address)),
        failed_ports: target.failed_ports,
        answered_ports: target.answered_ports,
        sample_ports: target.sample_ports.iter().copied().map(u32::from).collect(),
    }
}

fn criterion(crossed: detect::Criterion) -> v1::Criterion {
    v1::Criterion {
        // In the same order, behind the one that is unspecified; a test holds them together.
        measure: crossed.measure as i32 + 1,
        counted: crossed.counted,
        threshold: crossed.threshold,
        window: prost_types::Duration::try_from(crossed.window).ok(),
    }
}

const fn state(state: State) -> v1::State {
    match state {
        State::Opened => v1::State::Opened,
        State::Updated => v1::State::Updated,
        State::Closed => v1::State::Closed,
    }
}

const fn severity(severity: Severity) -> v1::Severity {
    match severity {
        Severity::Info => v1::Severity::Info,
        Severity::Low => v1::Severity::Low,
        Severity::Medium => v1::Severity::Medium,
        Severity::High => v1::Severity::High,
    }
}

const fn technique(technique: Option<Technique>) -> v1::Technique {
    match technique {
        None => v1::Technique::Unspecified,
        Some(Technique::Connect) => v1::Technique::TcpConnect,
        Some(Technique::Syn) => v1::Technique::TcpSyn,
        Some(Technique::Null) => v1::Technique::TcpNull,
        Some(Technique::Fin) => v1::Technique::TcpFin,
        Some(Technique::Xmas) => v1::Technique::TcpXmas,
        Some(Technique::Other) => v1::Technique::TcpOther,
        Some(Technique::Ack) => v1::Technique::TcpAck,
        Some(Technique::Maimon) => v1::Technique::TcpMaimon,
        Some(Technique::SynAck) => v1::Technique::TcpSynAck,
        Some(Technique::TinyFragment) => v1::Technique::TinyFragment,
        Some(Technique::Udp) => v1::Technique::Udp,
        Some(Technique::SctpInit) => v1::Technique::SctpInit,
        Some(Technique::SctpCookieEcho) => v1::Technique::SctpCookieEcho,
        Some(Technique::Ping) => v1::Technique::Ping,
        Some(Technique::Protocol) => v1::Technique::IpProtocol,
        Some(Technique::Neighbour) => v1::Technique::Neighbour,
    }
}

#[cfg(test)]
mod tests {
    use detect::{AnomalyId, Coverage, Criterion, Measure, PortCounts, PortSets, Subject, Target};

    use super::*;

    fn anomaly() -> Anomaly {
        Anomaly {
            id: AnomalyId {
                subject: Subject {
                    ifindex: 12,
                    epoch: 3,
                },
                serial: 4,
            },
            state: State::Opened,
            detector: "port_scan",
            severity: Severity::High,
            shadow: true,
            crossed: Criterion {
                measure: Measure::FailedPortsPerDestination,
                counted: 10,
                threshold: 10,
                window: Duration::from_secs(60),
            },
            crossed_at: Time::from_nanoseconds(2_500_000_000),
            first_seen: Time::from_nanoseconds(2_000_000_000),
            last_seen: Time::from_nanoseconds(2_600_000_000),
            pod: "::ffff:10.244.147.92".parse().ok(),
            role: Role::Source,
            targets: vec![Target {
                address: "10.244.147.93".parse().unwrap(),
                failed_ports: 10,
                answered_ports: 1,
                sample_ports: vec![21, 22],
            }],
            further_targets: 5,
            counted: 11,
            ports: PortCounts {
                distinct: 11,
                refused: 10,
                answered: 1,
                silent: 0,
            },
            port_sets: Some(Box::new(PortSets {
                distinct: (21..=31).collect(),
                refused: (21..=30).collect(),
                answered: [31].into_iter().collect(),
            })),
            technique: Some(Technique::Syn),
            samples: vec!["a.example".into()],
            withheld: 6,
            attack_ids: &["T1046"],
            coverage: Coverage {
                records_dropped: 1,
                parse_failures: 2,
                sample_rate: 16,
                spoofed_packets: 3,
                contained_packets: 4,
                reply_filter_percent: 5,
            },
        }
    }

    fn raised() -> Raised<'static> {
        Raised {
            node: "n1",
            epoch: 99,
            sequence: 7,
            raised_at: SystemTime::UNIX_EPOCH + Duration::from_secs(1004),
            boot: SystemTime::UNIX_EPOCH + Duration::from_secs(1000),
            interface: "veth1",
        }
    }

    #[test]
    fn an_event_says_all_that_the_anomaly_does() {
        let event = raised().event(&anomaly());
        assert_eq!(
            event.id,
            Some(v1::EventId {
                node: "n1".into(),
                epoch: 99,
                sequence: 7
            })
        );
        assert_eq!(event.anomaly_id, "n1/99/12.3/port_scan/4");
        assert_eq!(event.state(), v1::State::Opened);
        assert_eq!(event.severity(), v1::Severity::High);
        assert_eq!(event.technique(), v1::Technique::TcpSyn);
        assert_eq!(event.attack_ids, ["T1046"]);
        assert_eq!((event.shadow, event.counted, event.withheld), (true, 11, 6));
        assert_eq!(event.samples, ["a.example"]);
        let source = event.source.as_ref().unwrap();
        assert_eq!(source.address, "10.244.147.92", "unmapped");
        assert_eq!(source.interface, "veth1");
        assert_eq!(event.targets[0].sample_ports, [21, 22]);
        assert_eq!(event.further_targets, 5);
        let ports = event.ports.as_ref().unwrap().clone();
        assert_eq!(ports.distinct, 11);
        let runs = |set: Option<v1::PortSet>| port_sets::runs(&set.unwrap()).unwrap();
        assert_eq!(runs(ports.distinct_set), [21..=31]);
        assert_eq!(runs(ports.refused_set), [21..=30]);
        assert_eq!(runs(ports.answered_set), [31..=31]);
        let coverage = v1::Coverage {
            records_dropped: 1,
            parse_failures: 2,
            sample_rate: 16,
            spoofed_packets: 3,
            contained_packets: 4,
            reply_filter_percent: 5,
        };
        assert_eq!(event.coverage, Some(coverage));
        let crossed = event.crossed.unwrap();
        assert_eq!(crossed.measure(), v1::Measure::FailedPortsPerDestination);
        assert_eq!(crossed.window.unwrap().seconds, 60);
        assert_eq!(event.summary, summary::summarize(&event));
    }

    #[test]
    fn measures_have_the_same_names_on_the_wire() {
        for measure in Measure::ALL {
            let told = v1::Measure::try_from(measure as i32 + 1).unwrap();
            let name = told.as_str_name().replace("MEASURE_", "").replace('_', "");
            assert_eq!(name, format!("{measure:?}").to_uppercase());
        }
        assert!(v1::Measure::try_from(Measure::ALL.len() as i32 + 1).is_err());
    }

    #[test]
    fn times_are_told_by_the_wall_clock() {
        let event = raised().event(&anomaly());
        let times = [event.raised_at, event.crossed_at, event.first_seen]
            .map(|at| at.map(|at| (at.seconds, at.nanos)));
        let expected = [(1004, 0), (1002, 500_000_000), (1002, 0)].map(Some);
        assert_eq!(times, expected);
    }

    #[test]
    fn a_pod_that_suffers_is_the_target_and_its_source_is_unknown() {
        let event = raised().event(&Anomaly {
            role: Role::Target,
            ..anomaly()
        });
        assert_eq!(event.source, Some(v1::Endpoint::default()));
        let [target] = &event.targets[..] else {
            panic!("{:?}", event.targets);
        };
        let pod = target.endpoint.as_ref().unwrap();
        assert_eq!(
            (pod.address.as_str(), pod.interface.as_str()),
            ("10.244.147.92", "veth1")
        );
        assert!(
            event
                .summary
                .starts_with("somebody scanned 10.244.147.92: ")
        );
    }

    #[test]
    fn a_pod_without_a_known_address_still_has_its_interface() {
        let anomaly = Anomaly {
            pod: None,
            ..anomaly()
        };
        let source = raised().event(&anomaly).source.unwrap();
        assert_eq!(
            (source.address.as_str(), source.interface.as_str()),
            ("", "veth1")
        );
    }
}
