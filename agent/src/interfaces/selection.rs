//! Which interfaces are watched, and as whose.

use std::str::FromStr;

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::fact::Link;
use crate::whose::Whose;

/// The interface that the agent scans itself through: watched as a pod's, whatever is selected.
pub const CANARY: &str = "picket-canary0";
/// The other end of it, which is never watched.
pub const CANARY_SENDER: &str = "picket-canary1";

/// Tells the interfaces to watch from the others.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    pods: Pods,
    uplinks: Uplinks,
}

/// Those that are watched as pods'.
#[derive(Clone, Debug, Default)]
enum Pods {
    /// Every veth whose peer is in another network namespace.
    #[default]
    Veths,
    /// Every interface whose name matches one of these.
    Names(GlobSet),
}

/// What becomes of interfaces that a default route leads through. Where a node is a container, one looks like
/// a pod's; it is never watched as such, for then each direction would be taken for the other.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Uplinks {
    /// The node itself is watched there.
    #[default]
    Watch,
    /// They are left out.
    Ignore,
}

/// It is neither of them.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it takes watch or ignore")]
pub struct NoUplinks;

impl FromStr for Uplinks {
    type Err = NoUplinks;

    fn from_str(text: &str) -> Result<Self, NoUplinks> {
        match text {
            "watch" => Ok(Self::Watch),
            "ignore" => Ok(Self::Ignore),
            _ => Err(NoUplinks),
        }
    }
}

impl Selection {
    /// Selects pods' interfaces by name; no patterns at all stand for every pod.
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
        let pods = if names.is_empty() {
            Pods::Veths
        } else {
            Pods::Names(names)
        };
        Ok(Self {
            pods,
            ..Self::default()
        })
    }

    /// The same pods' interfaces, with or without uplinks.
    #[must_use]
    pub fn with(self, uplinks: Uplinks) -> Self {
        Self { uplinks, ..self }
    }

    /// Whose it is, if it is to be watched.
    pub(super) fn whose(&self, link: &Link, is_uplink: bool) -> Option<Whose> {
        match link.name.as_str() {
            CANARY => return link.veth.then_some(Whose::Pod),
            CANARY_SENDER => return None,
            _ => {}
        }
        if is_uplink {
            // The programs read Ethernet headers.
            let watched = self.uplinks == Uplinks::Watch && link.ethernet;
            return watched.then_some(Whose::Node);
        }
        let is_pod = match &self.pods {
            Pods::Veths => link.veth && link.peer_namespace.is_some(),
            Pods::Names(names) => names.is_match(&link.name),
        };
        is_pod.then_some(Whose::Pod)
    }
}
