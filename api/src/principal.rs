//! Whom a certificate is for: the one form of its name.

use std::fmt;

const NODE: &str = "picket://node/";
const SUBSCRIBER: &str = "picket://subscriber/";
const OPERATOR: &str = "picket://operator/";

/// The longest name; Kubernetes allows a DNS subdomain.
const LONGEST: usize = 253;

/// Whom a certificate is for, as its subject's alternative names have it as a URI.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Principal<'a> {
    /// The agent of this node: `picket://node/NAME`.
    Node(&'a str),
    /// Who may see events: `picket://subscriber/NAME`.
    Subscriber(&'a str),
    /// Who may command agents: `picket://operator/NAME`.
    Operator(&'a str),
}

impl<'a> Principal<'a> {
    /// Whom the URI names, if anyone.
    #[must_use]
    pub fn of_uri(uri: &'a str) -> Option<Self> {
        let kinds = [
            (NODE, Self::Node as fn(&'a str) -> Self),
            (SUBSCRIBER, Self::Subscriber),
            (OPERATOR, Self::Operator),
        ];
        let mut kinds = kinds.into_iter();
        let principal = kinds.find_map(|(kind, of)| uri.strip_prefix(kind).map(of))?;
        is_name(principal.name()).then_some(principal)
    }

    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        match self {
            Self::Node(name) | Self::Subscriber(name) | Self::Operator(name) => name,
        }
    }
}

impl fmt::Display for Principal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node(name) => write!(f, "{NODE}{name}"),
            Self::Subscriber(name) => write!(f, "{SUBSCRIBER}{name}"),
            Self::Operator(name) => write!(f, "{OPERATOR}{name}"),
        }
    }
}

/// Whether it is one that a node may have: letters, digits, dashes, dots and underscores.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    (1..=LONGEST).contains(&name.len()) && name.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_said_in_one_way_only() {
        for principal in [
            Principal::Node("n1.example"),
            Principal::Subscriber("siem"),
            Principal::Operator("anna"),
        ] {
            assert_eq!(Principal::of_uri(&principal.to_string()), Some(principal));
        }
        for uri in [
            "",
            "n1",
            "picket://node/",
            "picket://node/n1/..",
            "picket://node/n1?x",
            "picket://nodes/n1",
            "Picket://node/n1",
            "spiffe://cluster/node/n1",
        ] {
            assert_eq!(Principal::of_uri(uri), None, "{uri}");
        }
    }
}
