//! Where that goes which is told of each resource.

use std::{collections::BTreeSet, time::SystemTime};

use k8s_openapi::api::core::v1::{Node, Pod};
use kube::{Resource, core::PartialObjectMeta};

use crate::identity::{Identity, convert, services};

/// Takes in what is told of one resource.
pub(super) trait Taken<K> {
    /// Tells objects apart.
    type Key: Ord;

    fn key(&self, object: &K) -> Option<Self::Key>;
    fn take(&self, identity: &Identity, object: K, now: SystemTime);
    fn remove(&self, identity: &Identity, object: K, now: SystemTime);
    /// There are these, and no others.
    fn keep(&self, identity: &Identity, listed: &BTreeSet<Self::Key>, now: SystemTime);
}

pub(super) struct Pods;

impl Taken<Pod> for Pods {
    type Key = String;

    fn key(&self, pod: &Pod) -> Option<String> {
        pod.metadata.uid.clone()
    }

    fn take(&self, identity: &Identity, pod: Pod, now: SystemTime) {
        if let Some(told) = convert::pod(&pod) {
            identity.pod(told, convert::maker(&pod.metadata), now);
        }
    }

    fn remove(&self, identity: &Identity, pod: Pod, now: SystemTime) {
        if let Some(told) = convert::deleted(&pod, now) {
            identity.pod(told, convert::maker(&pod.metadata), now);
        }
    }

    fn keep(&self, identity: &Identity, listed: &BTreeSet<String>, now: SystemTime) {
        identity.keep_pods(listed, now);
    }
}

pub(super) struct Nodes;

impl Taken<Node> for Nodes {
    type Key = String;

    fn key(&self, node: &Node) -> Option<String> {
        node.metadata.name.clone()
    }

    fn take(&self, identity: &Identity, node: Node, _: SystemTime) {
        identity.node(&node, false);
    }

    fn remove(&self, identity: &Identity, node: Node, _: SystemTime) {
        identity.node(&node, true);
    }

    fn keep(&self, identity: &Identity, listed: &BTreeSet<String>, _: SystemTime) {
        identity.keep_nodes(listed);
    }
}

/// What is known by namespace and name.
pub(super) struct Keyed<K> {
    take: fn(&Identity, &K, bool),
    keep: fn(&Identity, &BTreeSet<services::Key>),
}

impl<K> Keyed<K> {
    pub(super) const fn new(
        take: fn(&Identity, &K, bool),
        keep: fn(&Identity, &BTreeSet<services::Key>),
    ) -> Self {
        Self { take, keep }
    }
}

impl<K: Resource> Taken<K> for Keyed<K> {
    type Key = services::Key;

    fn key(&self, object: &K) -> Option<services::Key> {
        Some(services::key(object))
    }

    fn take(&self, identity: &Identity, object: K, _: SystemTime) {
        (self.take)(identity, &object, false);
    }

    fn remove(&self, identity: &Identity, object: K, _: SystemTime) {
        (self.take)(identity, &object, true);
    }

    fn keep(&self, identity: &Identity, listed: &BTreeSet<services::Key>, _: SystemTime) {
        (self.keep)(identity, listed);
    }
}

/// What makes pods, and is made by others.
pub(super) struct Makers(pub(super) &'static str);

impl<K> Taken<PartialObjectMeta<K>> for Makers {
    type Key = String;

    fn key(&self, object: &PartialObjectMeta<K>) -> Option<String> {
        object.metadata.uid.clone()
    }

    fn take(&self, identity: &Identity, object: PartialObjectMeta<K>, _: SystemTime) {
        let maker = convert::maker(&object.metadata);
        if let (Some(uid), Some(maker)) = (object.metadata.uid, maker) {
            identity.made(self.0, &uid, maker.owner);
        }
    }

    fn remove(&self, identity: &Identity, object: PartialObjectMeta<K>, _: SystemTime) {
        if let Some(uid) = &object.metadata.uid {
            identity.forget_maker(uid);
        }
    }

    fn keep(&self, identity: &Identity, listed: &BTreeSet<String>, _: SystemTime) {
        identity.keep_makers(self.0, listed);
    }
}
