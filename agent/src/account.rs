//! What other rooms than the loop have to say about the node.

use api::v1;
use tokio::sync::watch;

use crate::policy::Hits;

/// The latest of each.
#[derive(Debug)]
pub struct Account {
    /// Which policy is in force.
    pub policy: watch::Receiver<v1::PolicyStatus>,
    /// How the agent's last scan of itself went.
    pub canary: watch::Receiver<Option<v1::Canary>>,
    /// What is wrong with the node, or worth knowing.
    pub findings: watch::Receiver<Vec<v1::Finding>>,
}

impl Account {
    /// Adds it to the status.
    pub fn complete(&self, status: &mut v1::NodeStatus, hits: &Hits) {
        status.canary.clone_from(&self.canary.borrow());
        status.findings.clone_from(&self.findings.borrow());
        status.policy = Some(v1::PolicyStatus {
            exceptions: hits.report(),
            ..self.policy.borrow().clone()
        });
    }
}
