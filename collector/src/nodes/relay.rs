//! What people ask of one agent, and those who wait for what becomes of it.

use std::collections::BTreeMap;

use api::v1::{self, publish_response::Item};
use tokio::sync::{mpsc, oneshot};

/// Commands of one node that somebody waits for.
const WAITING: usize = 16;

/// Why a command is not relayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    /// Nobody takes it.
    #[error("the agent of node `{node}` is not connected; `picket status` lists those that are")]
    Away { node: String },
    /// It would not know what it is told.
    #[error("the agent of node `{node}`, of version {version}, knows no commands yet; upgrade it")]
    Old { node: String, version: String },
    /// Too many wait.
    #[error("too many commands wait for the agent of node `{node}`; try again in a moment")]
    Busy { node: String },
    /// The id is not its own.
    #[error("another command `{id}` waits; give each an id of its own")]
    Twice { id: String },
}

/// What goes to the agent of a node.
#[derive(Debug)]
pub(super) struct Relay {
    asked: mpsc::Sender<Item>,
    waiting: BTreeMap<String, oneshot::Sender<v1::CommandOutcome>>,
}

impl Relay {
    pub(super) fn new() -> (Self, mpsc::Receiver<Item>) {
        let (asked, told) = mpsc::channel(WAITING);
        let waiting = BTreeMap::new();
        (Self { asked, waiting }, told)
    }

    /// Whether the agent will be asked to scan itself.
    pub(super) fn test(&self, id: &str) -> bool {
        let item = Item::Selftest(v1::Selftest { id: id.to_owned() });
        self.asked.try_send(item).is_ok()
    }

    pub(super) fn send(
        &mut self,
        node: &str,
        id: &str,
        command: v1::SignedCommand,
    ) -> Result<oneshot::Receiver<v1::CommandOutcome>, RelayError> {
        let node = || node.to_owned();
        self.waiting.retain(|_, outcome| !outcome.is_closed());
        if self.waiting.contains_key(id) {
            return Err(RelayError::Twice { id: id.to_owned() });
        }
        if self.waiting.len() >= WAITING {
            return Err(RelayError::Busy { node: node() });
        }
        self.asked
            .try_send(Item::Command(command))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => RelayError::Busy { node: node() },
                mpsc::error::TrySendError::Closed(_) => RelayError::Away { node: node() },
            })?;
        let (outcome, told) = oneshot::channel();
        self.waiting.insert(id.to_owned(), outcome);
        Ok(told)
    }

    /// Whether somebody waited for it.
    pub(super) fn outcome(&mut self, outcome: v1::CommandOutcome) -> bool {
        let waiting = self.waiting.remove(&outcome.id);
        waiting.is_some_and(|it| it.send(outcome).is_ok())
    }

    pub(super) fn forget(&mut self, id: &str) {
        self.waiting.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(id: &str) -> v1::CommandOutcome {
        v1::CommandOutcome {
            id: id.into(),
            obeyed: true,
            ..v1::CommandOutcome::default()
        }
    }

    #[test]
    fn who_waits_is_told_and_nobody_waits_without_end() {
        let (mut relay, mut told) = Relay::new();
        let command = v1::SignedCommand::default;
        let mut waiting = relay.send("n1", "a", command()).unwrap();
        assert!(told.try_recv().is_ok());
        let twice = relay.send("n1", "a", command());
        assert!(matches!(twice, Err(RelayError::Twice { .. })));
        assert!(!relay.outcome(outcome("b")), "nobody waits for it");
        assert!(relay.outcome(outcome("a")));
        assert!(waiting.try_recv().unwrap().obeyed);

        let many: Vec<_> = (0..WAITING)
            .map(|it| relay.send("n1", &it.to_string(), command()).unwrap())
            .collect();
        let busy = relay.send("n1", "b", command());
        assert!(matches!(busy, Err(RelayError::Busy { .. })));
        drop(many);
        while told.try_recv().is_ok() {}
        relay.send("n1", "b", command()).unwrap();
        drop(told);
        let away = relay.send("n1", "c", command());
        assert!(matches!(away, Err(RelayError::Away { .. })));
    }
}
