//! What is contained, and what was: the part of the state that is kept on disk.
//!
//! An agent of another version reads it too: it passes over what it does not know, and what it misses is as if there
//! were none. So a field is only ever added.

use std::{collections::BTreeMap, time::Duration};

use detect::{Subject, Time};
use serde::{Deserialize, Serialize};

/// Pods that were contained and are remembered.
const PAST: usize = 1024;

/// A pod that is contained.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Held {
    pub(super) ifindex: u32,
    pub(super) epoch: u32,
    pub(super) serial: u64,
    pub(super) opened_by: u64,
    pub(super) namespace: String,
    pub(super) pod: String,
    pub(super) uid: String,
    pub(super) workload: String,
    pub(super) since_ns: u64,
    pub(super) until_ns: u64,
    /// Of the agent's own decision; how far it is renewed.
    pub(super) lease_ns: u64,
    /// The operator; empty when the agent decided.
    pub(super) by: String,
    pub(super) command_id: String,
    pub(super) anomaly_id: String,
    pub(super) reason: String,
}

impl Held {
    /// Whose traffic.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        Subject {
            ifindex: self.ifindex,
            epoch: self.epoch,
        }
    }

    /// Since when.
    #[must_use]
    pub const fn since(&self) -> Time {
        Time::from_nanoseconds(self.since_ns)
    }

    /// Until when, unless it is renewed.
    #[must_use]
    pub const fn until(&self) -> Time {
        Time::from_nanoseconds(self.until_ns)
    }

    /// The pod's namespace, name and uid.
    #[must_use]
    pub fn pod(&self) -> [&str; 3] {
        [&self.namespace, &self.pod, &self.uid]
    }

    /// The operator; empty when the agent decided.
    #[must_use]
    pub fn by(&self) -> &str {
        &self.by
    }

    /// What was found, or what the operator gave as his reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }

    pub(super) const fn lease(&self) -> Duration {
        Duration::from_nanos(self.lease_ns)
    }

    pub(super) const fn is_own(&self) -> bool {
        self.by.is_empty()
    }
}

/// A pod that was contained.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub(super) struct Past {
    /// How often in a row.
    pub(super) times: u32,
    pub(super) ended_ns: u64,
    /// The operator who let it go; empty when it ended otherwise.
    pub(super) released_by: String,
}

/// What outlives the agent.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(default)]
pub struct Kept {
    /// Which boot the times are of.
    pub boot: String,
    pub(super) held: Vec<Held>,
    /// By uid.
    pub(super) past: BTreeMap<String, Past>,
    /// When the agent contained of its own, of late.
    pub(super) recent_ns: Vec<u64>,
    /// When a replica of a workload was contained, and which one.
    pub(super) workloads: BTreeMap<String, (u64, String)>,
    /// The highest sequence obeyed, by operator.
    pub(super) signers: BTreeMap<String, u64>,
}

/// Remembers how a containment ended; of too many, those that ended first are forgotten.
pub(super) fn remember(past: &mut BTreeMap<String, Past>, held: &Held, by: &str, now: Time) {
    while past.len() >= PAST && !past.contains_key(&held.uid) {
        let oldest = past.iter().min_by_key(|(_, it)| it.ended_ns);
        let Some(uid) = oldest.map(|(uid, _)| uid.clone()) else {
            return;
        };
        past.remove(&uid);
    }
    let entry = past.entry(held.uid.clone()).or_default();
    entry.times = entry.times.saturating_add(1);
    entry.ended_ns = now.nanoseconds();
    by.clone_into(&mut entry.released_by);
}
