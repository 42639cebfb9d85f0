//! One interface of the node, and what is known of whose it is.

use std::{
    net::IpAddr,
    time::{Duration, SystemTime},
};

use api::{
    pods::{Life, address_of},
    v1,
};
use detect::Subject;

/// What has the same addresses may be told this late; until then what is gone is bound to nobody.
pub(super) const SETTLE: Duration = Duration::from_secs(3);

pub(super) const NO_ADDRESS: &str = "no address of it is known yet";
pub(super) const NO_POD: &str = "no pod with its address is known yet";
pub(super) const OUTDATED: &str = "the collector is away, or has not told the pods yet";
pub(super) const SEVERAL: &str = "several pods had its address at about that time";
pub(super) const ELSEWHERE: &str = "the pod with its address may have had another interface";
pub(super) const FORGOTTEN: &str = "its pod is not among those that are known any more";
pub(super) const UNSEEN: &str =
    "its interface went while no agent ran, and its pod was not known before";

#[derive(Debug)]
pub(super) struct Interface {
    pub(super) ifindex: u32,
    pub(super) name: String,
    pub(super) subject: Option<Subject>,
    pub(super) addresses: Vec<IpAddr>,
    pub(super) life: Life,
    /// It was there by then, at the latest.
    pub(super) seen_at: SystemTime,
    pub(super) state: State,
    /// A former agent said so, and nothing has confirmed it yet.
    pub(super) is_hearsay: bool,
}

#[derive(Debug)]
pub(super) enum State {
    Bound(String),
    Unknown(&'static str),
}

impl Interface {
    /// Whether it can be the pod's by the times of both.
    pub(super) fn may_be_of(&self, pod: &v1::Pod) -> bool {
        let started = pod.started_at.and_then(|it| SystemTime::try_from(it).ok());
        // When it appeared may be unknown, but it did before it was seen.
        let in_time = started.is_none_or(|started| started <= self.seen_at);
        in_time && self.life.may_be_of(pod)
    }

    /// Whether the pod has an address of it, as far as both have some, and the times of it.
    pub(super) fn agrees_with(&self, pod: &v1::Pod) -> Option<bool> {
        if !self.may_be_of(pod) {
            return Some(false);
        }
        let mut addresses = pod
            .addresses
            .iter()
            .filter_map(|it| address_of(it))
            .peekable();
        addresses.peek()?;
        (!self.addresses.is_empty()).then(|| addresses.any(|it| self.addresses.contains(&it)))
    }

    /// Whether it is there for so long that a pod that went before would be known to have ended.
    pub(super) fn has_stayed(&self, now: SystemTime) -> bool {
        let appeared = self.life.appeared_at.unwrap_or(self.seen_at);
        let stayed = now.duration_since(appeared).is_ok_and(|age| age >= SETTLE);
        stayed && self.life.gone_at.is_none()
    }

    /// Whether all is known by now that could have had its address while it was there.
    pub(super) fn is_settled(&self, now: SystemTime) -> bool {
        let Some(gone) = self.life.gone_at else {
            return true;
        };
        now.duration_since(gone).is_ok_and(|age| age >= SETTLE)
    }
}
