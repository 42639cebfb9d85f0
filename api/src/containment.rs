//! When the agent may contain a pod, and which pods nobody may.

use std::{fmt, str::FromStr, time::Duration};

use detect::DETECTORS;

use crate::{selector::Selector, v1};

/// The longest lease, of a command too.
pub const LONGEST_LEASE: Duration = Duration::from_secs(24 * 60 * 60);
/// The shortest one.
pub const SHORTEST_LEASE: Duration = Duration::from_secs(1);

/// Namespaces whose pods nobody may contain, whatever is set: without the cluster's names, or what else it runs on,
/// nothing goes on. A label would not do, for whoever makes a pod gives it any.
pub const NAMESPACES: [&str; 2] = ["kube-system", "openshift-dns"];

/// The most that one of the caps may be.
const MOST: u32 = 1000;

/// What the agent does when a detector finds something that a pod does.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// Nothing. Commands of people are obeyed.
    Off,
    /// It says what it would do. Commands of people are obeyed.
    #[default]
    Propose,
    /// It contains the pod at once.
    Act,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Off, Self::Propose, Self::Act];

    /// As configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Propose => "propose",
            Self::Act => "act",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = SettingError;

    fn from_str(name: &str) -> Result<Self, SettingError> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == name);
        mode.ok_or(SettingError::Mode)
    }
}

/// How containment is set on every node.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Settings {
    /// What the agent does by itself.
    pub mode: Mode,
    /// How long a pod stays contained, unless what it was contained for goes on.
    pub lease: Duration,
    /// What these detectors find, a pod may be contained for. Containment takes new ports away, so it is of
    /// use against what tries many.
    pub detectors: Vec<String>,
    /// The share of the node's watched pods that the agent may contain, in percent; at least one pod.
    pub max_share_percent: u32,
    /// Pods of one namespace that it may contain at a time.
    pub max_per_namespace: u32,
    /// Pods that it may newly contain within a minute.
    pub max_per_minute: u32,
    /// Pods that nobody may contain, beside those of [`NAMESPACES`].
    pub protected: Vec<Selector>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            lease: Duration::from_secs(10 * 60),
            detectors: vec!["port_scan".into()],
            max_share_percent: 10,
            max_per_namespace: 3,
            max_per_minute: 3,
            protected: Vec::new(),
        }
    }
}

/// Why settings cannot be used; the key first.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No mode has this name.
    #[error("mode: it takes off, propose or act")]
    Mode,
    /// Too short, or too long.
    #[error("lease: it takes 1s to 24h, such as 10m")]
    Lease,
    /// No detector has this name.
    #[error("detectors: there is no detector `{0}`; there are {all}", all = DETECTORS.join(", "))]
    Detector(String),
    /// Zero, or too many.
    #[error("{key}: it takes 1 to {most}")]
    Cap {
        /// Which one.
        key: &'static str,
        /// The most it may be.
        most: u32,
    },
    /// It would protect every pod.
    #[error(
        "protected: entry {0} names neither namespaces nor labels, so it would select every pod; \
         write `mode: off` for an agent that contains none by itself"
    )]
    SelectsAll(usize),
}

impl SettingError {
    /// The key that is to be corrected.
    #[must_use]
    pub const fn key(&self) -> &'static str {
        match self {
            Self::Mode => "mode",
            Self::Lease => "lease",
            Self::Detector(_) => "detectors",
            Self::Cap { key, .. } => key,
            Self::SelectsAll(_) => "protected",
        }
    }
}

impl Settings {
    /// The settings, if all of them may be as they are.
    ///
    /// # Errors
    /// The first that may not.
    pub fn checked(self) -> Result<Self, SettingError> {
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease) {
            return Err(SettingError::Lease);
        }
        let mut detectors = self.detectors.iter();
        if let Some(unknown) = detectors.find(|it| !DETECTORS.contains(&it.as_str())) {
            return Err(SettingError::Detector(unknown.clone()));
        }
        for (key, cap, most) in [
            ("max_share_percent", self.max_share_percent, 100),
            ("max_per_namespace", self.max_per_namespace, MOST),
            ("max_per_minute", self.max_per_minute, MOST),
        ] {
            if !(1..=most).contains(&cap) {
                return Err(SettingError::Cap { key, most });
            }
        }
        let all = |it: &Selector| *it == Selector::default();
        if let Some(index) = self.protected.iter().position(all) {
            return Err(SettingError::SelectsAll(index));
        }
        Ok(self)
    }

    /// What protects the pod, for people, if anything does.
    #[must_use]
    pub fn protection(&self, pod: &v1::Pod) -> Option<String> {
        if NAMESPACES.contains(&&*pod.namespace) {
            return Some(format!("it is in namespace {}", pod.namespace));
        }
        if pod.host_network {
            return Some("it has the network of its node".into());
        }
        let mut own = self.protected.iter();
        let selector = own.find(|selector| selector.selects(pod))?;
        Some(format!("it is on the protected list ({selector})"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_may_be_as_they_are() {
        let settings = Settings::default();
        assert_eq!(settings.clone().checked(), Ok(settings));
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_its_key() {
        type Change = fn(&mut Settings);
        let set = |change: Change| {
            let mut settings = Settings::default();
            change(&mut settings);
            settings.checked()
        };
        let cases: [(Change, &str); 8] = [
            (|it| it.lease = Duration::ZERO, "lease: it takes 1s to 24h"),
            (
                |it| it.lease = LONGEST_LEASE + SHORTEST_LEASE,
                "lease: it takes",
            ),
            (
                |it| it.detectors = vec!["scan".into()],
                "detectors: there is no detector `scan`; there are port_scan",
            ),
            (
                |it| it.max_share_percent = 0,
                "max_share_percent: it takes 1 to 100",
            ),
            (
                |it| it.max_share_percent = 101,
                "max_share_percent: it takes",
            ),
            (|it| it.max_per_namespace = 0, "max_per_namespace: it takes"),
            (
                |it| it.max_per_minute = 1001,
                "max_per_minute: it takes 1 to 1000",
            ),
            (
                |it| it.protected = vec![Selector::default()],
                "protected: entry 0 names neither",
            ),
        ];
        for (change, expected) in cases {
            let error = set(change).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{error}");
            assert!(expected.starts_with(error.key()), "{error}");
        }
        for mode in Mode::ALL {
            assert_eq!(mode.name().parse(), Ok(mode));
        }
        assert_eq!("on".parse::<Mode>(), Err(SettingError::Mode));
    }

    #[test]
    fn some_pods_are_protected_whatever_is_set() {
        let pod = |namespace: &str, label: Option<(&str, &str)>| v1::Pod {
            namespace: namespace.into(),
            labels: label
                .map(|(key, value)| (key.into(), value.into()))
                .into_iter()
                .collect(),
            ..v1::Pod::default()
        };
        let settings = Settings {
            protected: vec![
                Selector {
                    namespaces: vec!["payments".into()],
                    ..Selector::default()
                },
                // As the chart has it.
                Selector {
                    namespaces: vec!["picket".into()],
                    labels: [("app.kubernetes.io/part-of".into(), "picket".into())].into(),
                    ..Selector::default()
                },
            ],
            ..Settings::default()
        };
        for (pod, expected) in [
            (pod("kube-system", None), Some("kube-system")),
            (pod("openshift-dns", None), Some("openshift-dns")),
            (
                v1::Pod {
                    host_network: true,
                    ..pod("blue", None)
                },
                Some("network of its node"),
            ),
            (pod("x", Some(("k8s-app", "kube-dns"))), None),
            (
                pod("x", Some(("app.kubernetes.io/part-of", "picket"))),
                None,
            ),
            (
                pod("picket", Some(("app.kubernetes.io/part-of", "picket"))),
                Some("part-of=picket"),
            ),
            (pod("payments", None), Some("namespace payments")),
            (pod("blue", Some(("app", "shop"))), None),
        ] {
            let found = settings.protection(&pod);
            let says = expected.is_none_or(|it| found.as_ref().is_some_and(|why| why.contains(it)));
            assert!(says && found.is_some() == expected.is_some(), "{found:?}");
        }
    }
}
