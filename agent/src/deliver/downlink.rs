//! Where that goes which the collector tells.

mod whole;

use api::{
    pods::Pods,
    services,
    v1::{self, publish_response::Item},
};
use tokio::sync::{mpsc, watch};
use tracing::{info, warn};

use self::whole::Whole;
use super::outcomes::Outcomes;

/// Commands that wait to be looked at; what finds no room is refused by silence, and counted.
pub const COMMANDS: usize = 64;

/// The receiving ends are with those who act on it.
#[derive(Debug)]
pub struct Downlink {
    /// The node's pods.
    pub pods: Whole<Pods>,
    /// What the cluster declares.
    pub services: Whole<v1::ServiceTable>,
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
            pods: Whole::default(),
            services: Whole::default(),
            policy: watch::Sender::new(None),
            commands: mpsc::channel(1).0,
            outcomes: Outcomes::default(),
        }
    }
}

impl Downlink {
    pub(super) fn take(&self, item: Item, dropped: &prometheus_client::metrics::counter::Counter) {
        match item {
            Item::Pods(table) => {
                let more = table.more;
                if self.pods.replace(Pods::from_table(table), more) {
                    info!("the collector told the pods of this node");
                }
            }
            Item::PodChanges(changes) => {
                let more = changes.more;
                self.pods.change(|pods| pods.change(changes), more);
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
                if self.commands.try_send(command).is_err() {
                    dropped.inc();
                    warn!("too many commands at once: one was dropped");
                }
            }
            Item::Welcome(_) | Item::Acknowledgement(_) => {}
        }
    }
}
