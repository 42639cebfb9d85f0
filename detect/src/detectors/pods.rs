//! The pods of a node, made when they are first heard of.

use std::sync::Arc;

use hashbrown::HashMap;

use super::{Pod, Settings};
use crate::Subject;

impl Pod {
    /// Begins as a workload of its own.
    pub(super) fn new(subject: Subject, settings: &Arc<Settings>) -> Box<Self> {
        Box::new(Self {
            settings: Arc::clone(settings),
            workload: unnamed(subject),
            ..Self::default()
        })
    }
}

pub(super) fn pod<'a>(
    pods: &'a mut HashMap<Subject, Box<Pod>>,
    subject: Subject,
    settings: &Arc<Settings>,
) -> &'a mut Pod {
    pods.entry(subject)
        .or_insert_with(|| Pod::new(subject, settings))
}

/// The name of the workload that a subject is until somebody names it; no name of Kubernetes begins so.
pub(super) fn unnamed(subject: Subject) -> String {
    format!("#{}.{}", subject.ifindex, subject.epoch)
}
