//! Which events or anomalies are wanted: what the server is asked for, and what is left out of its answer.

mod exclusion;
mod label;
mod pods;

use std::time::SystemTime;

use api::{filter::subject, times::known, v1};
use clap::Args;

use self::{exclusion::Exclusion, label::Label, pods::Pods};
use crate::{
    server::{Server, ServerError},
    severity::Severity,
    time::Since,
};

#[derive(Args, Clone, Debug)]
pub(crate) struct FilterArguments {
    /// Only those of this namespace; may be repeated.
    #[arg(long, short, value_name = "NAME")]
    pub(crate) namespace: Vec<String>,

    /// Only those of this pod, NAME or NAMESPACE/NAME with * and ?; may be repeated.
    #[arg(long, value_name = "POD")]
    pod: Vec<Pods>,

    /// Only those of pods with this label; may be repeated, and then all of them must match.
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<Label>,

    /// Only those of this node; may be repeated.
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,

    /// Only those of this detector, such as port_scan; may be repeated.
    #[arg(long, value_name = "NAME")]
    detector: Vec<String>,

    /// Only those of this severity and above.
    #[arg(long, value_name = "SEVERITY", visible_alias = "min-severity")]
    severity: Option<Severity>,

    /// Only those since: a duration such as 1h, or a time such as 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<Since>,

    /// Only those before: a duration such as 1h, or a time.
    #[arg(long, value_name = "TIME")]
    until: Option<Since>,

    /// None of those: FIELD=VALUE, such as detector=canary or pod=shop/*; may be repeated.
    #[arg(long, value_name = "FIELD=VALUE")]
    not: Vec<Exclusion>,
}

/// What the server cannot leave out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rest {
    pods: Vec<Pods>,
    labels: Vec<Label>,
    until: Option<SystemTime>,
    not: Vec<Exclusion>,
}

impl FilterArguments {
    /// That there are such detectors; a newer server may know more of them than this program.
    pub(crate) async fn check(&self, server: &Server) -> Result<(), ServerError> {
        let excluded = self.not.iter().filter_map(Exclusion::detector);
        let named = self.detector.iter().map(String::as_str).chain(excluded);
        let mut known: Vec<_> = api::names::detectors().map(str::to_owned).collect();
        for name in named {
            if known.iter().any(|it| it == name) {
                continue;
            }
            if let Ok(listed) = server.detectors().await {
                known.extend(listed.detectors.into_iter().map(|it| it.id));
            }
            known.sort_unstable();
            known.dedup();
            if !known.iter().any(|it| it == name) {
                return Err(ServerError::NoDetector {
                    detector: name.to_owned(),
                    known: known.join(", "),
                });
            }
        }
        Ok(())
    }

    /// Of events.
    pub(crate) fn of_events(self, states: Vec<i32>, now: SystemTime) -> (v1::Filter, Rest) {
        let (namespaces, pods) = self.asked_pods();
        let severity = self
            .severity
            .map_or(v1::Severity::Unspecified, v1::Severity::from);
        let labels = self
            .label
            .iter()
            .map(|it| (it.name.clone(), it.value.clone()));
        let filter = v1::Filter {
            namespaces,
            pods,
            nodes: self.node.clone(),
            detectors: self.detector.clone(),
            states,
            min_severity: severity.into(),
            since: self.since.map(|since| since.before(now).into()),
            labels: labels.collect(),
            exclude_correlated: false,
        };
        let rest = Rest {
            pods: Pods::inexact(self.pod),
            labels: Vec::new(),
            until: self.until.map(|until| until.before(now)),
            not: self.not,
        };
        (filter, rest)
    }

    /// Of anomalies.
    pub(crate) fn of_anomalies(self, now: SystemTime) -> (v1::AnomalyFilter, Rest) {
        let (namespaces, pods) = self.asked_pods();
        let all = [
            Severity::Info,
            Severity::Low,
            Severity::Medium,
            Severity::High,
        ];
        let least = self.severity;
        let severities = all
            .into_iter()
            .filter(|it| least.is_some_and(|least| *it >= least));
        let filter = v1::AnomalyFilter {
            namespaces,
            pods,
            nodes: self.node,
            detectors: self.detector,
            severities: severities.map(|it| v1::Severity::from(it).into()).collect(),
            since: self.since.map(|since| since.before(now).into()),
            until: self.until.map(|until| until.before(now).into()),
            ..v1::AnomalyFilter::default()
        };
        let rest = Rest {
            pods: Pods::inexact(self.pod),
            labels: self.label,
            until: None,
            not: self.not,
        };
        (filter, rest)
    }

    /// Namespaces and names to ask the server for: at least those that are wanted.
    fn asked_pods(&self) -> (Vec<String>, Vec<String>) {
        let mut namespaces = self.namespace.clone();
        if namespaces.is_empty() {
            namespaces = Pods::namespaces(&self.pod);
        }
        (namespaces, Pods::names(&self.pod))
    }
}

impl Rest {
    /// Whether there is anything that only the answer tells.
    pub(crate) fn is_empty(&self) -> bool {
        self.pods.is_empty()
            && self.labels.is_empty()
            && self.until.is_none()
            && self.not.is_empty()
    }

    /// Whether the event is wanted, or the anomaly whose last event it is; `state` is what its state is called.
    pub(crate) fn passes(&self, event: &v1::Event, state: &str) -> bool {
        let subject = subject(event);
        let named = |pods: &Pods| subject.is_some_and(|it| pods.matches(&it.namespace, &it.pod));
        let labelled = |label: &Label| subject.is_some_and(|it| label.is_of(&it.labels));
        (self.pods.is_empty() || self.pods.iter().any(named))
            && self.labels.iter().all(labelled)
            && self.until.is_none_or(|until| {
                known(event.raised_at).is_some_and(|raised_at: SystemTime| raised_at < until)
            })
            && !self.not.iter().any(|it| it.matches(event, state))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        filter: FilterArguments,
    }

    fn event() -> v1::Event {
        v1::Event {
            id: Some(v1::EventId {
                node: "n1".into(),
                ..v1::EventId::default()
            }),
            detector: "port_scan".into(),
            severity: v1::Severity::High.into(),
            raised_at: Some(SystemTime::UNIX_EPOCH.into()),
            source: Some(v1::Endpoint {
                namespace: "shop".into(),
                pod: "web-7f-x1".into(),
                labels: [("app".to_owned(), "web".to_owned())].into(),
                ..v1::Endpoint::default()
            }),
            ..v1::Event::default()
        }
    }

    #[test]
    fn what_the_server_cannot_leave_out_is_left_out_here() {
        for (arguments, passes) in [
            ("", true),
            ("--pod web-*", true),
            ("--pod shop/web-??-x1", true),
            ("--pod shop/web-*-x2", false),
            ("--pod blue/web-7f-x1", false),
            ("--pod blue/web-* --pod s*/web*", true),
            ("--pod *", true),
            ("--not namespace=shop", false),
            ("--not namespace=blue", true),
            ("--not pod=shop/*", false),
            ("--not pod=db-*", true),
            ("--not label=app=web", false),
            ("--not label=app=db", true),
            ("--not node=n1", false),
            ("--not detector=port_scan", false),
            ("--not detector=canary --not severity=low", true),
            ("--not severity=high", false),
            ("--not state=opened", false),
            ("--not state=closed", true),
            ("--until 1970-01-01T00:00:00Z", false),
            ("--until 1970-01-01T00:00:01Z", true),
        ] {
            let words = ["picket"].into_iter().chain(arguments.split_whitespace());
            let line = Line::try_parse_from(words).unwrap();
            let (_, rest) = line.filter.of_events(Vec::new(), SystemTime::UNIX_EPOCH);
            assert_eq!(rest.passes(&event(), "opened"), passes, "{arguments}");
        }
    }

    #[test]
    fn the_server_is_asked_for_as_little_as_it_can_tell() {
        for (arguments, namespaces, pods) in [
            ("--pod a", &[][..], &["a"][..]),
            ("--pod a/b", &["a"], &["b"]),
            ("--pod a/b --pod c/d", &["a", "c"], &["b", "d"]),
            ("--pod a/b --pod d", &[], &["b", "d"]),
            ("--pod a/b* --pod c/d", &["a", "c"], &[]),
            ("--pod a* --pod b", &[], &[]),
            ("--pod a/b -n c", &["c"], &["b"]),
        ] {
            let words = ["picket"].into_iter().chain(arguments.split_whitespace());
            let line = Line::try_parse_from(words).unwrap();
            let (filter, _) = line.filter.of_events(Vec::new(), SystemTime::UNIX_EPOCH);
            assert_eq!(filter.namespaces, namespaces, "{arguments}");
            assert_eq!(filter.pods, pods, "{arguments}");
        }
    }
}
