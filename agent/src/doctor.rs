//! What is wrong with the node, or worth knowing, and what to do about it.

mod clock;
mod finding;
mod kernel;
mod own;
mod watched;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use api::v1::{Finding, NodeStatus};
use rustix::{system::uname, thread::CapabilitySet};
use tokio::{sync::watch, task::spawn_blocking, time::interval};

use crate::{
    datapath::{Hooks, Pin},
    deliver::{Outbox, Place},
};

/// What is examined changes when people change it.
const EXAMINE_EVERY: Duration = Duration::from_secs(30);

/// What the agent was given.
#[derive(Clone, Debug)]
pub struct Given {
    /// At its start.
    pub capabilities: CapabilitySet,
    /// Interfaces that can be watched at once.
    pub slots: u32,
    /// Where to pin.
    pub pin: Pin,
    /// Where to keep events.
    pub spool: Place,
    /// Whether the agent scans itself.
    pub scans: bool,
    /// Of the node.
    pub certificate: Option<PathBuf>,
}

impl Given {
    /// What can be told without an agent that runs.
    #[must_use]
    pub fn examine(&self) -> Vec<Finding> {
        let mut findings = self.always();
        findings.push(own::spool(&self.spool));
        findings.push(watched::strangers(&self.pin));
        findings
    }

    fn always(&self) -> Vec<Finding> {
        let root = Path::new("/");
        let release = uname().release().to_string_lossy().into_owned();
        let mut findings = kernel::examine(root, &release);
        findings.extend([
            own::rights(self.capabilities),
            own::memory(root, self.slots),
            own::pins(&self.pin),
            clock::examine(),
        ]);
        #[expect(clippy::disallowed_methods, reason = "certificates run out")]
        let now = SystemTime::now();
        findings.extend(own::certificate(self.certificate.as_deref(), now));
        findings
    }
}

/// Examines the node again and again.
#[derive(Debug)]
pub struct Doctor {
    /// What the agent was given.
    pub given: Given,
    /// What tells its programs from those of others.
    pub hooks: Hooks,
    /// What it says of itself.
    pub status: watch::Receiver<NodeStatus>,
    /// What it has not delivered.
    pub outbox: Outbox,
    /// Where findings go.
    pub findings: watch::Sender<Vec<Finding>>,
}

impl Doctor {
    /// Begins once the agent has said something, and never ends.
    pub async fn run(mut self) {
        if self.status.changed().await.is_err() {
            return;
        }
        let given = Arc::new(self.given);
        let mut examine = interval(EXAMINE_EVERY);
        loop {
            examine.tick().await;
            let status = self.outbox.complete(self.status.borrow().clone());
            let (given, hooks) = (Arc::clone(&given), self.hooks);
            let examined = spawn_blocking(move || {
                let mut findings = given.always();
                findings.extend(watched::examine(&status, given.scans));
                findings.push(watched::beside(&hooks, &status));
                findings
            });
            if let Ok(findings) = examined.await {
                self.findings.send_replace(findings);
            }
        }
    }
}
