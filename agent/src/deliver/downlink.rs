//! Where that goes which the collector tells.

use api::{
    pods::Pods,
    v1::{self, publish_response::Item},
};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use super::outcomes::Outcomes;
use crate::identity::Teller;

/// Commands that wait to be looked at; what finds no room is refused by silence, and counted.
pub const COMMANDS: usize = 64;

/// The receiving ends are with those who act on it.
#[derive(Debug)]
pub struct Downlink {
    /// The node's pods.
    pub pods: watch::Sender<Pods>,
    /// Who told them.
    pub teller: watch::Sender<Teller>,
    /// What the cluster declares.
    pub services: watch::Sender<v1::ServiceTable>,
    /// How detectors and containment are set; none until the collector said so.
    pub policy: watch::Sender<Option<v1::Policy>>,
    /// What people command.
    pub commands: mpsc::Sender<v1::SignedCommand>,
    /// What became of it, on the way back.
    pub outcomes: Outcomes,
}

impl Default for Downlink {
    /// To nobody.
    fn default() -> Self {
        Self {
            pods: watch::Sender::new(Pods::default()),
            teller: watch::Sender::new(Teller::default()),
            services: watch::Sender::new(v1::ServiceTable::default()),
            policy: watch::Sender::new(None),
            commands: mpsc::channel(1).0,
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

    pub(super) fn take(&self, item: Item, dropped: &prometheus_client::metrics::counter::Counter) {
        match item {
            Item::Pods(table) => {
                let pods = table.pods.len();
                self.pods.send_replace(Pods::from_table(table));
                self.teller.send_replace(Teller::Collector);
                info!(pods, "the collector told the pods of this node");
            }
            Item::PodChanges(changes) => self.pods.send_modify(|pods| pods.change(changes)),
            Item::Services(services) => {
                self.services.send_replace(services);
            }
            Item::Policy(policy) => {
                self.policy.send_replace(Some(policy));
            }
            Item::Command(command) => {
                if self.commands.try_send(command).is_err() {
                    dropped.inc();
                    warn!("too many commands at once: one was dropped");
                }
            }
            Item::Welcome(_) | Item::Acknowledgement(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pods_are_as_now_while_the_collector_that_told_them_is_there() {
        let downlink = Downlink::default();
        let dropped = prometheus_client::metrics::counter::Counter::default();
        downlink.teller.send_replace(Teller::Operator);
        downlink.left();
        assert_eq!(*downlink.teller.borrow(), Teller::Operator);
        downlink.take(Item::Pods(v1::PodTable::default()), &dropped);
        assert_eq!(*downlink.teller.borrow(), Teller::Collector);
        downlink.left();
        assert_eq!(*downlink.teller.borrow(), Teller::Memory);
    }
}
