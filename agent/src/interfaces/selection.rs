//! Which interfaces are watched.

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::fact::Link;

/// The interface that the agent scans itself through: watched as a pod's, whatever is selected.
pub const CANARY: &str = "picket-canary0";
/// The other end of it, which is never watched.
pub const CANARY_SENDER: &str = "picket-canary1";

/// Tells the interfaces to watch from the others.
#[derive(Clone, Debug, Default)]
pub enum Selection {
    /// Every veth whose peer is in another network namespace, but for the node's uplinks.
    #[default]
    Pods,
    /// Every interface whose name matches one of these.
    Names(GlobSet),
}

impl Selection {
    /// Selects by name; no patterns at all stand for every pod.
    ///
    /// # Errors
    /// When a pattern is none.
    pub fn by_name<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
    ) -> Result<Self, globset::Error> {
        let mut names = GlobSetBuilder::new();
        for pattern in patterns {
            names.add(Glob::new(pattern)?);
        }
        let names = names.build()?;
        Ok(if names.is_empty() {
            Self::Pods
        } else {
            Self::Names(names)
        })
    }

    /// Whether an interface that a default route leads through is left out: where a node is a
    /// container, its uplink looks like a pod's interface.
    pub(super) const fn spares_uplinks(&self) -> bool {
        matches!(self, Self::Pods)
    }

    pub(super) fn matches(&self, link: &Link) -> bool {
        match link.name.as_str() {
            CANARY => return link.veth,
            CANARY_SENDER => return false,
            _ => {}
        }
        match self {
            Self::Pods => link.veth && link.peer_namespace.is_some(),
            Self::Names(names) => names.is_match(&link.name),
        }
    }
}
