//! Where that goes which the collector tells.

mod whole;

use api::{
    command,
    pods::Pods,
    services,
    v1::{self, publish_response::Item},
};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use self::whole::Whole;
use super::outcomes::Outcomes;
use crate::identity::Teller;

/// Commands that wait to be looked at; what finds no room is refused, and counted.
pub const COMMANDS: usize = 64;

/// The receiving ends are with those who act on it.
#[derive(Debug)]
pub struct Downlink {
    /// The node's pods.
    pub pods: Whole<Pods>,
    /// Who told them.
    pub teller: watch::Sender<Teller>,
    /// What the cluster declares.
    pub services: Whole<v1::ServiceTable>,
    /// How detectors and containment are set; none until the collector said so.
    pub policy: watch::Sender<Option<v1::Policy>>,
    /// What people command.
    pub commands: mpsc::Sender<v1::SignedCommand>,
    /// By which id people want the agent to scan itself.
    pub selftests: mpsc::Sender<String>,
    /// What became of commands, on the way back.
    pub outcomes: Outcomes,
}

impl Default for Downlink {
    /// To nobody.
    fn default() -> Self {
        Self {
            pods: Whole::default(),
            teller: watch::Sender::new(Teller::default()),
            services: Whole::default(),
            policy: watch::Sender::new(None),
            commands: mpsc::channel(1).0,
            selftests: mpsc::channel(1).0,
            outcomes: Outcomes::default(),
        }
    }
}

impl Downlink {
    /// The collector is away: what it told becomes outdated.
    pub(super) fn left(&self) {
        self.teller.send_if_modified(|teller| {
            let was_there = *teller == Teller::Collector;
            if was_there {
                *teller = Teller::Memory;
            }
            was_there
        });
    }

    /// The collector has told all pods as they are now.
    fn told_pods(&self) {
        let news = self.teller.send_if_modified(|teller| {
            let before = std::mem::replace(teller, Teller::Collector);
            before != Teller::Collector
        });
        if news {
            info!("the collector told the pods of this node");
        }
    }

    pub(super) fn take(&self, item: Item, dropped: &prometheus_client::metrics::counter::Counter) {
        match item {
            Item::Pods(table) => {
                let more = table.more;
                if self.pods.replace(Pods::from_table(table), more) {
                    self.told_pods();
                }
            }
            Item::PodChanges(changes) => {
                let more = changes.more;
                self.pods.change(|pods| pods.change(changes), more);
                if !more {
                    self.told_pods();
                }
            }
            Item::Services(services) => {
                let more = services.more;
                self.services.replace(services, more);
            }
            Item::ServiceChanges(changes) => {
                let more = changes.more;
                let change = |table: &mut _| services::change(table, changes);
                self.services.change(change, more);
            }
            Item::Policy(policy) => {
                self.policy.send_replace(Some(policy));
            }
            Item::Command(command) => {
                if let Err(error) = self.commands.try_send(command) {
                    dropped.inc();
                    warn!("too many commands at once: one was dropped");
                    self.refuse(&error.into_inner());
                }
            }
            // Nobody takes it when there is no canary.
            Item::Selftest(selftest) => {
                if let Err(mpsc::error::TrySendError::Full(_)) =
                    self.selftests.try_send(selftest.id)
                {
                    dropped.inc();
                }
            }
            Item::Welcome(_) | Item::Acknowledgement(_) => {}
        }
    }

    /// So that whoever waits learns of it.
    fn refuse(&self, command: &v1::SignedCommand) {
        if let Some(said) = command::said(command) {
            self.outcomes.tell(v1::CommandOutcome {
                id: said.id,
                reason: "too many commands wait at the agent; give it again in a moment".into(),
                ..v1::CommandOutcome::default()
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;

    use super::*;

    #[tokio::test]
    async fn who_commands_too_much_at_once_is_told() {
        let (commands, _waiting) = mpsc::channel(1);
        let downlink = Downlink {
            commands,
            ..Downlink::default()
        };
        let dropped = Counter::default();
        // Of a command without any field: its encoding is empty.
        for _ in 0..3 {
            downlink.take(Item::Command(v1::SignedCommand::default()), &dropped);
        }
        assert_eq!(dropped.get(), 2);
        for _ in 0..2 {
            let outcome = downlink.outcomes.next().await;
            assert!(
                !outcome.obeyed && outcome.reason.contains("again"),
                "{outcome:?}"
            );
        }
    }

    #[test]
    fn pods_are_as_now_while_the_collector_that_told_them_is_there() {
        let downlink = Downlink::default();
        let dropped = Counter::default();
        downlink.teller.send_replace(Teller::Operator);
        downlink.left();
        assert_eq!(*downlink.teller.borrow(), Teller::Operator);
        downlink.take(Item::Pods(v1::PodTable::default()), &dropped);
        assert_eq!(*downlink.teller.borrow(), Teller::Collector);
        downlink.left();
        assert_eq!(*downlink.teller.borrow(), Teller::Memory);
    }
}
