//! What pods are called, in text.

use std::{fmt, str::FromStr};

pub(crate) use api::names::{severity, state, verdict};

/// A pod, as the command line names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct PodName {
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl FromStr for PodName {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.split_once('/');
        let is_name = |it: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            !it.is_empty() && it.len() <= 253 && it.chars().all(plain)
        };
        let named = parts.filter(|(namespace, name)| is_name(namespace) && is_name(name));
        let (namespace, name) = named.ok_or("it takes NAMESPACE/POD, such as default/app1")?;
        Ok(Self {
            namespace: namespace.into(),
            name: name.into(),
        })
    }
}

impl fmt::Display for PodName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Namespace and name of a pod; nothing when not known.
pub(crate) fn pod(namespace: &str, name: &str) -> Option<String> {
    (!name.is_empty()).then(|| format!("{namespace}/{name}"))
}
