//! A name that was asked for, and the registered domain it belongs to.

use std::fmt::Display;

use crate::hash::hash;

/// Where the names of a cluster end, unless it was set up otherwise.
const CLUSTER: &str = ".cluster.local";

/// A domain name in lower case, as RFC 1035 writes it: without the final dot, other bytes as `\DDD`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Name {
    text: Box<str>,
    /// Where the registered domain begins, if there is one.
    registered: Option<usize>,
    /// Whether it ends in a public suffix of the list.
    public: bool,
    /// Whether only its beginning is known.
    is_cut: bool,
}

/// What the labels before `svc` say a name stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Service<'a> {
    /// Perhaps a namespace, or a short name with one of the search suffixes.
    Namespace(&'a str),
    /// A service of a namespace.
    Of(&'a str),
    /// Something of a service, or another name with one of the search suffixes.
    Longer(&'a str),
}

impl Name {
    /// The name that is written so, with or without a final dot.
    pub(crate) fn new(written: impl Display) -> Self {
        let mut text = written.to_string().to_ascii_lowercase();
        if text.ends_with('.') {
            text.pop();
        }
        let domain = psl::domain(text.as_bytes());
        let public = domain.is_some_and(|domain| domain.suffix().is_known());
        // A top-level domain is alphabetic (RFC 1123, section 2.1), or Punycode: what ends otherwise
        // belongs to no domain.
        let top = text.rsplit('.').next().unwrap_or_default();
        let plausible = top.starts_with("xn--") || top.bytes().all(|it| it.is_ascii_alphabetic());
        let registered = domain
            .map(|domain| text.len() - domain.as_bytes().len())
            .filter(|_| plausible);
        Self {
            registered,
            public,
            is_cut: false,
            text: text.into(),
        }
    }

    /// The name that begins so, and goes on nobody knows how.
    pub(crate) fn cut(written: &str) -> Self {
        Self {
            text: written.to_ascii_lowercase().into(),
            registered: None,
            public: false,
            is_cut: true,
        }
    }

    /// Whether only its beginning is known.
    pub(crate) const fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Stands for the name where it need not be read.
    pub(crate) fn key(&self) -> u64 {
        hash(&self.text)
    }

    /// The domain somebody registered, one label below a public suffix.
    pub(crate) fn registered(&self) -> Option<&str> {
        self.text.get(self.registered?..)
    }

    /// The registered domain, if everybody could look it up: below a suffix that is known to be public.
    pub(crate) fn public(&self) -> Option<&str> {
        self.registered().filter(|_| self.public)
    }

    /// What stands before the registered domain; everything when there is none.
    pub(crate) fn below(&self) -> &str {
        let end = self.registered.unwrap_or(self.text.len());
        let below = self.text.get(..end).unwrap_or_default();
        below.strip_suffix('.').unwrap_or(below)
    }

    /// Whether it ends as the names of a cluster and its search suffixes do.
    pub(crate) fn is_local(&self) -> bool {
        self.text.ends_with(CLUSTER)
    }

    /// Whether it belongs to the tree of addresses and numbers.
    pub(crate) fn is_arpa(&self) -> bool {
        self.text.ends_with(".arpa")
    }

    /// What it names, when it is of the form `name.svc.zone`. Labels of a protocol or port, as in
    /// `_http._tcp.web.default.svc.cluster.local`, are left out.
    pub(crate) fn service(&self) -> Option<Service<'_>> {
        let (mut path, _) = self.text.split_once(".svc.").filter(|_| !self.is_cut)?;
        while path.starts_with('_') {
            path = path.split_once('.')?.1;
        }
        Some(match path.bytes().filter(|&it| it == b'.').count() {
            0 => Service::Namespace(path),
            1 => Service::Of(path),
            _ => Service::Longer(path),
        })
    }
}

/// Whether a name could be looked up as it stands, by its public suffix.
pub(crate) fn is_public(text: &str) -> bool {
    psl::suffix(text.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_told_apart_from_its_registered_domain() {
        for (written, registered, public, below) in [
            ("www.Example.co.uk.", Some("example.co.uk"), true, "www"),
            ("example.com", Some("example.com"), true, ""),
            ("a.b.example.com", Some("example.com"), true, "a.b"),
            ("x.t.tunnel.example", Some("tunnel.example"), false, "x.t"),
            ("com", None, false, "com"),
            ("", None, false, ""),
            ("dnscat.0a1b.2c3d", None, false, "dnscat.0a1b.2c3d"),
            ("a.xn--fiqs8s", Some("a.xn--fiqs8s"), true, ""),
            (r"\200\.a.pirate.sea", Some("pirate.sea"), false, r"\200\.a"),
        ] {
            let name = Name::new(written);
            assert_eq!(name.registered(), registered, "{written}");
            assert_eq!(name.public().is_some(), public, "{written}");
            assert_eq!(name.below(), below, "{written}");
        }
    }

    #[test]
    fn names_of_services_are_known_by_their_shape() {
        for (written, service) in [
            (
                "www.default.svc.cluster.local",
                Some(Service::Of("www.default")),
            ),
            (
                "www.default.svc.k8s.corp.com",
                Some(Service::Of("www.default")),
            ),
            (
                "_http._tcp.www.default.svc.cluster.local",
                Some(Service::Of("www.default")),
            ),
            (
                "default.svc.cluster.local",
                Some(Service::Namespace("default")),
            ),
            ("a.b.c.svc.cluster.local", Some(Service::Longer("a.b.c"))),
            ("_tcp.svc.cluster.local", None),
            ("www.example.com", None),
            ("svc.cluster.local", None),
        ] {
            assert_eq!(Name::new(written).service(), service, "{written}");
        }
        assert_eq!(Name::cut("www.default.svc.c").service(), None);
        for (written, expected) in [
            ("www.default.svc.cluster.local", true),
            ("www.example.com.cluster.local", true),
            ("www.default.svc.k8s.corp.com", false),
            ("cluster.local.example.com", false),
        ] {
            assert_eq!(Name::new(written).is_local(), expected, "{written}");
        }
    }
}
