//! What follows from a decision: for the kernel, and for those who are told.

use api::v1::{ActionKind, Severity, State};
use detect::{Subject, Time};

use super::held::Held;

/// One step in the life of a containment, or one that was not taken.
#[derive(Clone, Debug)]
pub struct Step {
    /// Whose traffic; none when a command concerns no pod of this node.
    pub subject: Option<Subject>,
    /// What becomes of its packets.
    pub change: Change,
    /// What is told; none when the same was told just before.
    pub told: Option<Told>,
    /// For a metric.
    pub kind: ActionKind,
    /// Why not, for a metric.
    pub refused: Option<&'static str>,
}

/// What becomes of the packets of a slot.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// The same as before.
    Nothing,
    /// Those to new ports are dropped until then.
    Contain(Time),
    /// All pass.
    Release,
}

/// What an event says, beside whose interface it is.
#[derive(Clone, Debug)]
pub struct Told {
    /// The same in all events of one containment: counts up.
    pub serial: u64,
    /// The epoch of the agent that opened it, when it was one before this.
    pub opened_by: u64,
    /// Which step.
    pub state: State,
    /// How bad.
    pub severity: Severity,
    /// What was done.
    pub kind: ActionKind,
    /// Why.
    pub reason: String,
    /// The operator who commanded it; empty when the agent decided.
    pub by: String,
    /// Of the command.
    pub command_id: String,
    /// The anomaly that it answers.
    pub anomaly_id: String,
    /// Whose pod, as it was known when it began.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Its uid.
    pub uid: String,
    /// Since when.
    pub since: Time,
    /// When the lease ends.
    pub until: Option<Time>,
    /// Proposals and refusals that were held back since the last one.
    pub withheld: u64,
}

impl Step {
    pub(super) fn of(held: &Held, change: Change, told: (ActionKind, State), reason: &str) -> Self {
        let (kind, state) = told;
        Self {
            subject: Some(held.subject()),
            change,
            told: Some(Told {
                serial: held.serial,
                opened_by: held.opened_by,
                state,
                severity: match state {
                    State::Opened => Severity::High,
                    State::Updated => Severity::Medium,
                    State::Closed | State::Unspecified => Severity::Low,
                },
                kind,
                reason: reason.to_owned(),
                by: held.by.clone(),
                command_id: held.command_id.clone(),
                anomaly_id: held.anomaly_id.clone(),
                namespace: held.namespace.clone(),
                pod: held.pod.clone(),
                uid: held.uid.clone(),
                since: held.since(),
                until: (state != State::Closed).then(|| held.until()),
                withheld: 0,
            }),
            kind,
            refused: None,
        }
    }
}
