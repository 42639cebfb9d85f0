//! Why a pod is not contained, or a command not obeyed.

use std::fmt;

/// Why not; each is a label of a metric.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Refusal {
    /// The agent may only propose.
    Propose,
    /// Nobody knows whose interface it is.
    Unknown,
    /// It cannot send any more.
    Ended,
    /// Nobody may contain it.
    Protected(String),
    /// Another replica of its workload was contained of late.
    Storm(String),
    /// A person let it go of late.
    Respite(String),
    /// Too many were contained within the last minute.
    Rate(u32),
    /// Too many pods of its namespace are.
    Namespace(u32),
    /// Too many pods of the node are.
    Share(usize),
    /// Nothing shows who commands, or that he may.
    Unverified(String),
    /// The command is not newer than others of the same signer.
    Replayed,
    /// Too many signers have commanded.
    Signers,
    /// The pod is not on this node, or another one of that name.
    Elsewhere,
    /// No lease may be so short or long.
    Lease,
    /// There is nothing to release.
    NotContained,
}

impl Refusal {
    /// Labels of all of them.
    pub const NAMES: [&str; 15] = [
        "propose",
        "unknown_pod",
        "ended_pod",
        "protected",
        "replica_storm",
        "released_by_operator",
        "rate",
        "namespace_cap",
        "share_cap",
        "unverified",
        "replayed",
        "signers",
        "elsewhere",
        "lease",
        "not_contained",
    ];

    /// Its label.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        Self::NAMES[match self {
            Self::Propose => 0,
            Self::Unknown => 1,
            Self::Ended => 2,
            Self::Protected(_) => 3,
            Self::Storm(_) => 4,
            Self::Respite(_) => 5,
            Self::Rate(_) => 6,
            Self::Namespace(_) => 7,
            Self::Share(_) => 8,
            Self::Unverified(_) => 9,
            Self::Replayed => 10,
            Self::Signers => 11,
            Self::Elsewhere => 12,
            Self::Lease => 13,
            Self::NotContained => 14,
        }]
    }

    /// Whether a person may well decide otherwise.
    pub(super) const fn is_proposal(&self) -> bool {
        matches!(
            self,
            Self::Propose | Self::Unknown | Self::Storm(_) | Self::Respite(_)
        )
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Propose => f.write_str("containment is set to propose"),
            Self::Unknown => f.write_str("nobody knows the uid of the pod behind the interface"),
            Self::Ended => f.write_str("the pod has ended"),
            Self::Protected(why) => write!(f, "nobody may contain it: {why}"),
            Self::Storm(workload) => write!(
                f,
                "another replica of {workload} was contained within 10 minutes; several at once look \
                 like a dependency that is down"
            ),
            Self::Respite(operator) => write!(f, "{operator} released it within the last hour"),
            Self::Rate(cap) => write!(
                f,
                "{cap} pods were contained within a minute (max_per_minute)"
            ),
            Self::Namespace(cap) => write!(
                f,
                "{cap} pods of its namespace are contained (max_per_namespace)"
            ),
            Self::Share(cap) => write!(
                f,
                "{cap} pods of the node are contained (max_share_percent)"
            ),
            Self::Unverified(why) => f.write_str(why),
            Self::Replayed => f.write_str(
                "a command of the same signer was as new or newer: it is a replay, or came too late; \
                 give it again",
            ),
            Self::Signers => f.write_str(
                "too many different operators have commanded this node; remove its file of \
                 containments, and restart the agent",
            ),
            Self::Elsewhere => {
                f.write_str("no pod of that namespace, name and uid is watched on this node")
            }
            Self::Lease => f.write_str("a lease takes 1s to 24h"),
            Self::NotContained => f.write_str("the pod is not contained"),
        }
    }
}
