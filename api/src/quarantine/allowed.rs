//! What a quarantined pod may still do.

use super::Refusal;
use crate::v1;

/// A name server of a cluster.
pub(super) struct Resolver {
    pub(super) namespace: &'static str,
    /// Of its pods.
    pub(super) label: (&'static str, &'static str),
    /// Of its pods, which are what a policy is about.
    pub(super) port: u32,
    /// What pods ask.
    service: (&'static str, u32),
}

/// Where Kubernetes and OpenShift have it.
pub(super) const RESOLVERS: [Resolver; 2] = [
    Resolver {
        namespace: "kube-system",
        label: ("k8s-app", "kube-dns"),
        port: 53,
        service: ("kube-dns", 53),
    },
    Resolver {
        namespace: "openshift-dns",
        label: ("dns.operator.openshift.io/daemonset-dns", "default"),
        port: 5353,
        service: ("dns-default", 53),
    },
];

impl Resolver {
    fn is_asked(&self, edge: &v1::Edge) -> bool {
        let (key, value) = self.label;
        let is_pod = edge.labels.get(key).is_some_and(|it| it == value);
        edge.namespace == self.namespace
            && (is_pod && edge.port == self.port || self.service == (&*edge.service, edge.port))
    }
}

/// What goes on.
#[derive(Debug, Default)]
pub struct Allowed {
    /// Ask the cluster's DNS.
    pub(super) dns: bool,
    /// Be reached from these namespaces.
    pub(super) from: Vec<String>,
    /// Reach these namespaces.
    pub(super) to: Vec<String>,
}

impl Allowed {
    /// The cluster's DNS, namespaces it may be reached from, and namespaces it may reach.
    ///
    /// # Errors
    /// When one can be no name of a namespace.
    pub fn new(dns: bool, from: Vec<String>, to: Vec<String>) -> Result<Self, Refusal> {
        let wrong = from.iter().chain(&to).find(|it| !is_label(it));
        match wrong {
            Some(name) => Err(Refusal::Namespace { name: name.clone() }),
            None => Ok(Self { dns, from, to }),
        }
    }

    /// As on the command line, each after a space.
    pub(super) fn flags(&self) -> String {
        let dns = self.dns.then(|| " --allow-dns".to_owned());
        let from = self.from.iter().map(|it| format!(" --allow-from {it}"));
        let to = self.to.iter().map(|it| format!(" --allow-to {it}"));
        dns.into_iter().chain(from).chain(to).collect()
    }

    /// Whether what was seen would go on.
    #[must_use]
    pub fn passes(&self, edge: &v1::Edge) -> bool {
        let of = |namespaces: &[String]| namespaces.contains(&edge.namespace);
        match edge.outbound {
            false => of(&self.from),
            true => of(&self.to) || self.dns && RESOLVERS.iter().any(|it| it.is_asked(edge)),
        }
    }
}

/// As Kubernetes names namespaces (RFC 1123).
fn is_label(name: &str) -> bool {
    let plain = |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-';
    !name.is_empty() && name.len() <= 63 && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_no_namespace_is_written_into_no_policy() {
        let long = "a".repeat(64);
        for name in ["", "Blue", "a b", "a\"}}", "a\nb", &long] {
            let refused = Allowed::new(false, vec![name.into()], vec![]);
            assert!(refused.is_err(), "{name}");
        }
        assert!(Allowed::new(true, vec!["blue-1".into()], vec!["red".into()]).is_ok());
    }

    #[test]
    fn names_are_asked_where_a_cluster_has_them_and_nowhere_else() {
        let openshift = "dns.operator.openshift.io/daemonset-dns";
        for (namespace, service, label, port, expected) in [
            ("kube-system", "kube-dns", None, 53, true),
            ("kube-system", "", Some(("k8s-app", "kube-dns")), 53, true),
            (
                "kube-system",
                "",
                Some(("k8s-app", "kube-dns")),
                9153,
                false,
            ),
            ("kube-system", "metrics-server", None, 53, false),
            ("blue", "", Some(("k8s-app", "kube-dns")), 53, false),
            ("openshift-dns", "dns-default", None, 53, true),
            (
                "openshift-dns",
                "",
                Some((openshift, "default")),
                5353,
                true,
            ),
            ("openshift-dns", "", Some((openshift, "default")), 53, false),
        ] {
            let edge = v1::Edge {
                namespace: namespace.into(),
                service: service.into(),
                labels: label
                    .map(|(key, value): (&str, &str)| (key.into(), value.into()))
                    .into_iter()
                    .collect(),
                port,
                outbound: true,
                ..v1::Edge::default()
            };
            let allowed = Allowed {
                dns: true,
                ..Allowed::default()
            };
            assert_eq!(allowed.passes(&edge), expected, "{edge:?}");
            assert!(!Allowed::default().passes(&edge));
        }
    }
}
