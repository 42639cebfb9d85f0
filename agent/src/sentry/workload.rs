//! Which workload a pod is a replica of: its owner's, or when nobody told that, the one its name tells.

use api::{v1, workload};
use detect::Subject;

use super::Sentry;

impl Sentry {
    /// Tells the detectors which pods are replicas of one workload, and what time it is.
    pub(super) fn name_workloads(&mut self) {
        for subject in self.roster.subjects() {
            self.name_workload(subject);
        }
        self.clock = self.clock.again();
        self.detectors.set_origin(self.clock.origin());
    }

    /// Whose pod is not known is a workload of its own, by the name of its interface.
    pub(super) fn name_workload(&mut self, subject: Subject) {
        let pods = self.ends.pods.borrow();
        match self.binder.pod(subject, &pods) {
            Some(pod) => self.detectors.name(subject, &workload(pod)),
            None => self
                .detectors
                .name_for_now(subject, self.roster.name(subject)),
        }
    }
}

/// The name that all replicas share, with the namespace.
fn workload(pod: &v1::Pod) -> String {
    format!(
        "{}/{}",
        pod.namespace,
        workload::of(pod.owner.as_ref(), &pod.name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_share_a_name_and_others_do_not() {
        for (pod, expected) in [
            ("web-7d4b9c8f6d-x2v5z", "web"),
            ("shop-web-5c6f7d8b9-bcdfg", "shop-web"),
            ("node-exporter-4kq8z", "node-exporter"),
            ("postgres-0", "postgres"),
            ("postgres-12", "postgres"),
            ("kube-proxy", "kube-proxy"),
            ("redis-master", "redis-master"),
            ("alone", "alone"),
        ] {
            let pod = v1::Pod {
                namespace: "default".into(),
                name: pod.into(),
                ..v1::Pod::default()
            };
            assert_eq!(workload(&pod), format!("default/{expected}"));
        }
    }

    #[test]
    fn an_owner_says_more_than_a_name() {
        let owned = v1::Pod {
            namespace: "default".into(),
            // Of a DaemonSet, though it looks like an indexed Job's.
            name: "agent-2-x2x7k".into(),
            owner: Some(v1::Owner {
                kind: "DaemonSet".into(),
                name: "agent-2".into(),
            }),
            ..v1::Pod::default()
        };
        assert_eq!(workload(&owned), "default/agent-2");
    }
}
