//! What is said of what is not done.

use api::v1::{self, ActionKind, Severity, State};
use detect::{Subject, Time};

use super::{Change, Containment, Refusal, Step, Told, voice::By};

/// What a refusal is about.
#[derive(Default)]
pub(super) struct About<'a> {
    pub(super) subject: Option<Subject>,
    pub(super) pod: Option<&'a v1::Pod>,
    pub(super) by: By<'a>,
    pub(super) command_id: &'a str,
    pub(super) anomaly_id: &'a str,
    pub(super) reason: &'a str,
}

impl Containment {
    /// That something is not done.
    pub(super) fn refuse(&mut self, about: &About<'_>, refusal: &Refusal, now: Time) -> Step {
        let is_own = about.by == By::Agent;
        let kind = match is_own && refusal.is_proposal() {
            true => ActionKind::Proposed,
            false => ActionKind::Refused,
        };
        let subject = about.subject.filter(|_| is_own);
        let voice = self.voices.of(about.by);
        let said = voice.says(subject, refusal.name(), now);
        let reason = match about.reason {
            "" => refusal.to_string(),
            reason => format!("{refusal}; {reason}"),
        };
        let told = said.map(|withheld| {
            self.serial += 1;
            let of = |text: fn(&v1::Pod) -> &String| about.pod.map(text).cloned();
            Told {
                serial: self.serial,
                opened_by: self.epoch,
                state: State::Opened,
                severity: Severity::Medium,
                kind,
                reason,
                by: match about.by {
                    By::Operator(name) => name.to_owned(),
                    By::Agent | By::Nobody => String::new(),
                },
                command_id: about.command_id.to_owned(),
                anomaly_id: about.anomaly_id.to_owned(),
                namespace: of(|it| &it.namespace).unwrap_or_default(),
                pod: of(|it| &it.name).unwrap_or_default(),
                uid: of(|it| &it.uid).unwrap_or_default(),
                since: now,
                until: None,
                withheld,
            }
        });
        Step {
            subject: about.subject,
            change: Change::Nothing,
            told,
            kind,
            refused: Some(refusal.name()),
        }
    }
}
