//! Which workload a pod is a replica of.

use api::{v1, workload};

/// The name that all replicas share, with the namespace.
pub(super) fn workload(pod: &v1::Pod) -> String {
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
}
