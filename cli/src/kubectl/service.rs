//! Which service of the cluster is the collector's.

use std::{path::PathBuf, str::FromStr};

use crate::names::PodName;

/// A service of the cluster.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

/// What to forward to, and how kubectl gets there.
#[derive(Clone, Debug)]
pub(crate) struct Forwarded {
    pub(crate) service: Service,
    pub(crate) context: Option<String>,
    pub(crate) kubeconfig: Option<PathBuf>,
}

/// As the chart names it.
impl Default for Service {
    fn default() -> Self {
        Self {
            namespace: "picket".to_owned(),
            name: "picket-collector".to_owned(),
        }
    }
}

impl FromStr for Service {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let takes = "it takes NAMESPACE/NAME, such as picket/picket-collector";
        let PodName { namespace, name } = text.parse().map_err(|_| takes)?;
        Ok(Self { namespace, name })
    }
}
