//! Which workload a pod is a replica of, told from its name.

use api::v1;

/// Of what Kubernetes appends to names: no vowels, so that there are no words (`rand.String` in
/// `k8s.io/apimachinery/pkg/util/rand`).
const ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";
/// Characters that a ReplicaSet, DaemonSet or Job appends to the name of a pod.
const SUFFIX: usize = 5;
/// Characters of the hash of a pod template, that a Deployment appends to the name of a ReplicaSet.
const HASH: std::ops::RangeInclusive<usize> = 6..=10;

/// The name that all replicas share, with the namespace.
pub(super) fn workload(pod: &v1::Pod) -> String {
    format!("{}/{}", pod.namespace, base(&pod.name))
}

fn base(name: &str) -> &str {
    let random = |part: &str| part.chars().all(|c| ALPHABET.contains(c));
    let ordinal = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    match name.rsplit_once('-') {
        Some((set, last)) if last.len() == SUFFIX && random(last) => match set.rsplit_once('-') {
            Some((deployment, hash)) if HASH.contains(&hash.len()) && random(hash) => deployment,
            _ => set,
        },
        Some((set, last)) if ordinal(last) => set,
        _ => name,
    }
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
            ("web-7d4b9c8f6d-apple", "web-7d4b9c8f6d-apple"),
            ("alone", "alone"),
            ("-", "-"),
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
