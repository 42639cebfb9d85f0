//! What is known and accepted, and so nobody is to be told of.

use std::{net::IpAddr, time::SystemTime};

use ipnet::IpNet;

use crate::{selector::Selector, v1};

/// Events of some detectors, of some pods, about some targets, for some time.
#[derive(Clone, Debug, Default)]
pub struct Exception {
    /// No other one has it.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Why nobody is to be told.
    pub reason: String,
    /// Any, when there are none.
    pub detectors: Vec<String>,
    /// Of which pods.
    pub selector: Selector,
    /// Every target of an event must be in one of them, and the event must name all; any, when there are
    /// none.
    pub targets: Vec<IpNet>,
    /// For ever, when there is no end.
    pub until: Option<SystemTime>,
}

impl Exception {
    /// Whether the event is of those. Whose pod is unknown is only covered when every pod is.
    #[must_use]
    pub fn covers(&self, event: &v1::Event, pod: Option<&v1::Pod>, now: SystemTime) -> bool {
        let detectors = &self.detectors;
        (detectors.is_empty() || detectors.contains(&event.detector))
            && self.until.is_none_or(|until| now < until)
            && pod.map_or_else(
                || self.selector == Selector::default(),
                |pod| self.selector.selects(pod),
            )
            && (self.targets.is_empty()
                || event.further_targets == 0 && self.covers_targets(&event.targets))
    }

    fn covers_targets(&self, targets: &[v1::Target]) -> bool {
        let covered = |target: &v1::Target| {
            let address = target.endpoint.as_ref().map(|endpoint| &endpoint.address);
            let address = address.and_then(|text| text.parse::<IpAddr>().ok());
            address.is_some_and(|it| self.targets.iter().any(|net| net.contains(&it)))
        };
        !targets.is_empty() && targets.iter().all(covered)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn event(targets: &[&str]) -> v1::Event {
        let target = |address: &&str| v1::Target {
            endpoint: Some(v1::Endpoint {
                address: (*address).to_owned(),
                ..v1::Endpoint::default()
            }),
            ..v1::Target::default()
        };
        v1::Event {
            detector: "port_scan".into(),
            targets: targets.iter().map(target).collect(),
            ..v1::Event::default()
        }
    }

    #[test]
    fn targets_that_are_not_named_are_not_covered() {
        let exception = Exception {
            targets: vec!["10.0.0.0/8".parse().unwrap()],
            ..Exception::default()
        };
        for (further_targets, covered) in [(0, true), (1, false)] {
            let event = v1::Event {
                further_targets,
                ..event(&["10.0.0.1"])
            };
            let now = SystemTime::UNIX_EPOCH;
            assert_eq!(exception.covers(&event, None, now), covered);
        }
    }

    #[test]
    fn an_event_is_excepted_by_detector_pod_targets_and_time() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let scanner = v1::Pod {
            namespace: "security".into(),
            ..v1::Pod::default()
        };
        let net = |text: &str| vec![text.parse().unwrap()];
        let all = Exception::default();
        let security = Exception {
            selector: Selector {
                namespaces: vec!["security".into()],
                ..Selector::default()
            },
            ..all.clone()
        };
        let two = ["10.0.0.1", "10.1.0.1"];
        for (exception, pod, targets, covered) in [
            (all.clone(), None, &two[..], true),
            (security.clone(), Some(&scanner), &two, true),
            (security.clone(), None, &two, false),
            (security, Some(&v1::Pod::default()), &two, false),
            (
                Exception {
                    detectors: vec!["ip_sweep".into()],
                    ..all.clone()
                },
                None,
                &two,
                false,
            ),
            (
                Exception {
                    targets: net("10.0.0.0/8"),
                    ..all.clone()
                },
                None,
                &two,
                true,
            ),
            (
                Exception {
                    targets: net("10.0.0.0/16"),
                    ..all.clone()
                },
                None,
                &two,
                false,
            ),
            (
                Exception {
                    targets: net("10.0.0.0/8"),
                    ..all.clone()
                },
                None,
                &[],
                false,
            ),
            (
                Exception {
                    until: Some(now),
                    ..all.clone()
                },
                None,
                &two,
                false,
            ),
            (
                Exception {
                    until: Some(now + Duration::from_secs(1)),
                    ..all
                },
                None,
                &two,
                true,
            ),
        ] {
            assert_eq!(
                exception.covers(&event(targets), pod, now),
                covered,
                "{exception:?}, {pod:?}, {targets:?}"
            );
        }
    }
}
