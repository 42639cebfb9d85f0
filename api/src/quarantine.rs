//! A `NetworkPolicy` that cuts one pod off, for a person to apply, and what it would cut.

mod allowed;
mod render;

use thiserror::Error;

pub use self::{
    allowed::Allowed,
    render::{named, policy, render},
};
use crate::v1;

/// Why no policy selects the pod, or cannot be written.
#[derive(Clone, Debug, Eq, Error, PartialEq)]
pub enum Refusal {
    /// Nothing tells it from others.
    #[error("{pod} has no uid in the collector's table, so no label can tell it from others")]
    NoUid {
        /// Which pod.
        pod: String,
    },
    /// It shares its node's.
    #[error(
        "{pod} has the network of its node, so no NetworkPolicy selects it; drain the node instead"
    )]
    HostNetwork {
        /// Which pod.
        pod: String,
    },
    /// It cannot be one.
    #[error("`{name}` is no name of a namespace; `kubectl get namespaces` lists them")]
    Namespace {
        /// As it was given.
        name: String,
    },
}

/// Whether a policy can select the pod that is described, and no other.
///
/// # Errors
/// When it cannot.
pub fn selects(described: &v1::DescribeResponse) -> Result<(), Refusal> {
    let unknown = v1::Pod::default();
    let it = described.pod.as_ref().unwrap_or(&unknown);
    let pod = format!("{}/{}", it.namespace, it.name);
    match it {
        _ if it.uid.is_empty() => Err(Refusal::NoUid { pod }),
        _ if it.host_network => Err(Refusal::HostNetwork { pod }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_be_told_from_others_is_not_selected() {
        for (uid, host_network, expected) in [
            ("3f1b", false, None),
            ("", false, Some("no label can tell it")),
            ("3f1b", true, Some("drain the node")),
        ] {
            let described = v1::DescribeResponse {
                pod: Some(v1::Pod {
                    uid: uid.into(),
                    host_network,
                    ..v1::Pod::default()
                }),
                ..v1::DescribeResponse::default()
            };
            let refused = selects(&described).err().map(|it| it.to_string());
            assert_eq!(refused.is_some(), expected.is_some());
            assert!(refused.is_none_or(|it| it.contains(expected.unwrap_or_default())));
        }
        assert!(selects(&v1::DescribeResponse::default()).is_err());
    }
}
