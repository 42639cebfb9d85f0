//! What was raised, and what of it would have been with another policy. What stayed below a threshold is recorded
//! nowhere, so where the other policy is stricter it says that there may be more.

use std::{collections::BTreeMap, time::SystemTime};

use api::{filter, policy::Policy, v1};
use detect::{Mode, Quantity, Settings};

/// Of what is gone, so much is told.
const TOLD: usize = 16;

/// A comparison that goes on.
#[derive(Debug)]
pub(super) struct Preview {
    before: Policy,
    after: Policy,
    /// Not all that was raised is looked at.
    partial: bool,
    detectors: BTreeMap<&'static str, v1::DetectorPreview>,
}

impl Preview {
    pub(super) fn new(before: Policy, after: Policy, partial: bool) -> Self {
        Self {
            before,
            after,
            partial,
            detectors: BTreeMap::new(),
        }
    }

    /// Takes in the last event of an anomaly.
    pub(super) fn take_in(&mut self, event: &v1::Event, now: SystemTime) {
        let id = detect::DETECTORS.iter().find(|it| **it == event.detector);
        let Some(&id) = id else {
            return;
        };
        let pod = filter::subject(event).map(|subject| v1::Pod {
            namespace: subject.namespace.clone(),
            name: subject.pod.clone(),
            uid: subject.uid.clone(),
            labels: subject.labels.clone(),
            service_account: subject.service_account.clone(),
            owner: subject.owner.clone(),
            ..v1::Pod::default()
        });
        let pod = pod.filter(|pod| !pod.name.is_empty());
        let pod = pod.as_ref();
        let (before, after) = (self.before.settings(pod), self.after.settings(pod));
        let mode = after.values(id).map_or(Mode::Off, |(mode, _)| mode);
        let excepted = self.after.exception(event, pod, now).is_some();
        let kept = mode == Mode::On && !excepted && reaches(event, id, before, after);
        let of_detector = self.detectors.entry(id).or_default();
        of_detector.raised += u32::from(!event.shadow);
        of_detector.kept += u32::from(kept);
        if !event.shadow && !kept && of_detector.gone.len() < TOLD {
            of_detector.gone.push(event.anomaly_id.clone());
        }
    }

    /// Of every detector that found something, or that would be set in another way.
    pub(super) fn end(mut self) -> v1::PreviewPolicyResponse {
        let mut told = Vec::new();
        for id in detect::DETECTORS {
            let found = self.detectors.remove(id);
            let at_least =
                self.partial && found.is_some() || is_stricter(&self.before, &self.after, id);
            if found.is_some() || at_least {
                told.push(v1::DetectorPreview {
                    id: (*id).into(),
                    at_least,
                    ..found.unwrap_or_default()
                });
            }
        }
        v1::PreviewPolicyResponse {
            detectors: told,
            covers: None,
        }
    }
}

/// Whether what was counted crosses the threshold that the other policy has in place of the one that was crossed.
fn reaches(event: &v1::Event, id: &str, before: &Settings, after: &Settings) -> bool {
    let Some(crossed) = &event.crossed else {
        return true;
    };
    let counted = event.counted.max(crossed.counted);
    let crossed = Quantity::Count(crossed.threshold);
    let (Ok((_, before)), Ok((_, after))) = (before.values(id), after.values(id)) else {
        return true;
    };
    // Several may have the value: any of them may have been crossed.
    let places = before.iter().zip(&after).filter(|(it, _)| **it == crossed);
    let mut thresholds = places.map(|(_, after)| after).peekable();
    thresholds.peek().is_none() || thresholds.any(|it| *it <= Quantity::Count(counted))
}

/// Whether it may find what the other did not.
fn is_stricter(before: &Policy, after: &Policy, id: &str) -> bool {
    let all = |policy: &Policy| {
        let scopes = policy.scopes.iter();
        let scopes = scopes.map(|it| (Some(it.selector.clone()), it.settings.clone()));
        let base = [(None, policy.settings.clone())];
        base.into_iter().chain(scopes).collect::<Vec<_>>()
    };
    let of = |settings: &Settings| settings.values(id).unwrap_or_default();
    let stricter = |(selector, settings): &(Option<_>, std::sync::Arc<Settings>)| {
        let olds = all(before);
        // A scope that is new takes pods from any of the others.
        let same: Vec<_> = olds.iter().filter(|(it, _)| it == selector).collect();
        let olds = if same.is_empty() {
            olds.iter().collect()
        } else {
            same
        };
        olds.into_iter().any(|(_, old)| {
            let ((old_mode, old), (mode, new)) = (of(old), of(settings));
            let lower = old.iter().zip(&new).any(|(old, new)| match (old, new) {
                (Quantity::Count(old), Quantity::Count(new)) => new < old,
                // Windows and quiets change what is counted together.
                (old, new) => new != old,
            });
            mode != Mode::Off && (lower || old_mode == Mode::Off)
        })
    };
    let uncovered = before.exceptions.iter().any(|old| {
        let of_it = old.detectors.is_empty() || old.detectors.iter().any(|it| it == id);
        let stays = after.exceptions.iter().any(|new| {
            (&new.detectors, &new.selector, &new.targets, new.until)
                == (&old.detectors, &old.selector, &old.targets, old.until)
        });
        of_it && !stays
    });
    uncovered || all(after).iter().any(stricter)
}

#[cfg(test)]
mod tests {
    use api::policy::Time;

    use super::*;

    fn policy(text: &str) -> Policy {
        Policy::read("p", text, Time::Before, &[]).unwrap()
    }

    fn scan(id: &str, namespace: &str, counted: u64) -> v1::Event {
        let threshold = 10;
        v1::Event {
            anomaly_id: id.into(),
            detector: "port_scan".into(),
            counted,
            source: Some(v1::Endpoint {
                namespace: namespace.into(),
                pod: "app1".into(),
                ..Default::default()
            }),
            crossed: Some(v1::Criterion {
                threshold,
                counted: threshold,
                ..Default::default()
            }),
            ..Default::default()
        }
    }

    #[track_caller]
    fn check(before: &str, after: &str, raised: u32, kept: u32, gone: &[&str], at_least: bool) {
        let mut preview = Preview::new(policy(before), policy(after), false);
        let mut shadow = scan("shadow", "blue", 1000);
        shadow.shadow = true;
        for event in [
            scan("small", "blue", 12),
            scan("large", "red", 1000),
            shadow,
        ] {
            preview.take_in(&event, SystemTime::UNIX_EPOCH);
        }
        let told = preview.end().detectors;
        let scans = told.iter().find(|it| it.id == "port_scan").unwrap();
        assert_eq!((scans.raised, scans.kept), (raised, kept), "{after}");
        assert_eq!(scans.gone, gone, "{after}");
        assert_eq!(scans.at_least, at_least, "{after}");
    }

    const MINUTE: &str = "detectors: {port_scan: {failed_ports_per_minute: 10, failed_ports_per_hour: 60, low_ports_per_minute: 60, crafted_ports_per_hour: 60, ports_per_minute: 200, ports_per_hour: 400}}\n";

    #[test]
    fn what_the_other_policy_would_have_raised_is_told() {
        let higher = MINUTE.replace("minute: 10,", "minute: 20,");
        check(MINUTE, &higher, 2, 2, &["small"], false);
        let lower = MINUTE.replace("minute: 10,", "minute: 5,");
        check(MINUTE, &lower, 2, 3, &[], true);
        let off = "detectors: {port_scan: {mode: off}}\n";
        check(MINUTE, off, 2, 0, &["small", "large"], false);
        let scoped = format!(
            "{MINUTE}scopes:\n- {{namespaces: [red], detectors: {{port_scan: {{mode: shadow}}}}}}\n"
        );
        check(MINUTE, &scoped, 2, 2, &["large"], false);
        let except = "exceptions:\n- {name: a, owner: b, reason: c, namespaces: [red]}\n";
        let excepted = format!("{MINUTE}{except}");
        check(MINUTE, &excepted, 2, 2, &["large"], false);
        check(&excepted, MINUTE, 2, 3, &[], true);
        check(off, MINUTE, 2, 3, &[], true);
    }
}
