//! The workload of a pod: who made it, or what the pod's name tells of that.
//!
//! Controllers name pods, by rules of their own:
//!
//! - a `DaemonSet` or a Job appends five random characters to its name, a `ReplicaSet` to its own
//!   (`k8s.io/apiserver/pkg/storage/names`), all of an alphabet without vowels, `y`, `0`, `1` and `3`
//!   (`k8s.io/apimachinery/pkg/util/rand`);
//! - a Deployment names its `ReplicaSet` with a hash behind its own name: a 32-bit number in decimal, written
//!   in that alphabet digit by digit (`SafeEncodeString`), so of ten characters at most, and of fewer than
//!   eight one time in 400;
//! - a `CronJob` names its Job with the minute behind its own name, and an indexed Job its pods with the index
//!   before the random characters (`k8s.io/kubernetes/pkg/controller/cronjob` and `.../job`);
//! - a `StatefulSet` appends the ordinal.
//!
//! A name alone is ambiguous: a `DaemonSet` `agent-2` is taken for an indexed Job `agent`.

use crate::v1;

const RANDOM: usize = 5;
const ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";

/// The name of the workload of a pod with this owner.
#[must_use]
pub fn of<'a>(owner: Option<&'a v1::Owner>, pod: &'a str) -> &'a str {
    match owner {
        // Of these the maker may be told later, and a node makes static pods that have nothing in common.
        Some(owner) if !["ReplicaSet", "Job", "Node"].contains(&owner.kind.as_str()) => &owner.name,
        _ => of_pod(pod),
    }
}

/// The name of the workload, which is that of the pod when no controller named it.
#[must_use]
pub fn of_pod(pod: &str) -> &str {
    let Some(owner) = without(pod, |part| part.len() == RANDOM && is_random(part)) else {
        return without(pod, is_number).unwrap_or(pod);
    };
    without(owner, |part| {
        is_number(part) || ((8..=10).contains(&part.len()) && is_random(part))
    })
    .unwrap_or(owner)
}

/// What is before the last dash, when what is behind it is as told.
fn without(name: &str, told: impl Fn(&str) -> bool) -> Option<&str> {
    let (before, part) = name.rsplit_once('-')?;
    (!before.is_empty() && told(part)).then_some(before)
}

fn is_random(part: &str) -> bool {
    part.chars().all(|letter| ALPHABET.contains(letter))
}

fn is_number(part: &str) -> bool {
    !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_made_a_pod_is_no_guess() {
        for (kind, name, pod, workload) in [
            ("DaemonSet", "agent-2", "agent-2-x2x7k", "agent-2"),
            ("StatefulSet", "db-1", "db-1-0", "db-1"),
            ("Deployment", "web-2", "web-2-5d4f7c9b84-x2x7k", "web-2"),
            // Before it is told that a Deployment made it.
            ("ReplicaSet", "web-5d4f7c9b8", "web-5d4f7c9b8-x2x7k", "web"),
            ("Node", "n1", "etcd-n1", "etcd-n1"),
        ] {
            let owner = v1::Owner {
                kind: kind.into(),
                name: name.into(),
            };
            assert_eq!(of(Some(&owner), pod), workload, "{kind}");
        }
        assert_eq!(of(None, "db-0"), "db");
    }

    #[test]
    fn what_controllers_append_is_taken_off() {
        for (pod, workload) in [
            // A Deployment, one whose name looks like an ordinal, and one whose hash is short.
            ("web-5d4f7c9b8-x2x7k", "web"),
            ("web-2-5d4f7c9b84-x2x7k", "web-2"),
            ("web-5d4f7c-x2x7k", "web-5d4f7c"),
            ("kube-proxy-x2x7k", "kube-proxy"),
            ("core-dns-x2x7k", "core-dns"),
            ("db-0", "db"),
            ("db-shard-12", "db-shard"),
            ("backup-28392040-x2x7k", "backup"),
            ("train-7-x2x7k", "train"),
            // Nobody's but their own.
            ("app1", "app1"),
            ("web-shell", "web-shell"),
            ("-x2x7k", "-x2x7k"),
            ("-7", "-7"),
            ("", ""),
        ] {
            assert_eq!(of_pod(pod), workload, "{pod}");
        }
    }
}
