//! All detectors together, each with its mode and thresholds.

mod outcomes;
mod subjects;
mod usual;

use std::{sync::Arc, time::Duration};

use hashbrown::HashMap;

pub use self::outcomes::Outcomes;

use crate::{
    Anomaly, Budget, Declared, Observation, Subject, Time, Words, ack_flood,
    allowance::{Allowance, NodeAllowance},
    baselines::{Baselines, Usual},
    beacon, bytes_in, bytes_out,
    detector::{Detector as _, Seen},
    dns::{dga, dns_enumeration, dns_tunnel, malformed_dns, zone_transfer},
    icmp_flood, icmp_tunnel, ip_sweep,
    limits::{Limit, LimitError, MINUTE, Quantity, Thresholds as _},
    messages::Messages,
    mode::{Mode, Setting},
    new_peer, odd_flags,
    peers::Peers,
    port_scan, port_scan_target,
    probes::Probes,
    protocol_mismatch, protocol_scan, spoofed_source, syn_flood, tiny_fragments, udp_flood,
    unexpected_tunnel,
    window::{HORIZONS, reach},
};

/// No detector has this name.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is no such detector; there are {}", DETECTORS.join(", "))]
pub struct UnknownDetector;

/// Declares the detectors: everything there is one of for each.
macro_rules! detectors {
    ($(#[doc = $about:literal] $detector:ident,)+) => {
        /// The ids of all detectors.
        pub const DETECTORS: &[&str] = &[$(<$detector::Pod as crate::detector::Detector>::ID),+];

        /// What a detector looks for, in a few words, when there is one of this name.
        #[must_use]
        pub fn about(detector: &str) -> Option<&'static str> {
            match detector {
                $(<$detector::Pod as crate::detector::Detector>::ID => Some($about.trim_ascii()),)+
                _ => None,
            }
        }

        /// How to say what a detector found, when there is one of this name.
        #[must_use]
        pub fn words(detector: &str) -> Option<Words> {
            match detector {
                $(<$detector::Pod as crate::detector::Detector>::ID => {
                    Some(<$detector::Pod as crate::detector::Detector>::WORDS)
                })+
                _ => None,
            }
        }

        /// How all detectors are set.
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct Settings {
            /// What is the same for all.
            pub outcomes: Outcomes,
            $(#[doc = $about] pub $detector: Setting<$detector::Thresholds>,)+
        }

        impl Default for Settings {
            fn default() -> Self {
                Self {
                    outcomes: Outcomes::default(),
                    $($detector: Setting {
                        mode: <$detector::Pod as crate::detector::Detector>::MODE,
                        thresholds: $detector::Thresholds::default(),
                    },)+
                }
            }
        }

        impl Settings {
            /// All detectors off.
            #[must_use]
            pub fn off() -> Self {
                let mut settings = Self::default();
                $(settings.$detector.mode = Mode::Off;)+
                settings
            }

            /// The longest time after which any anomaly is closed.
            fn longest_quiet(&self) -> Duration {
                let quiet = [$(self.$detector.thresholds.quiet),+];
                quiet.into_iter().max().unwrap_or_default()
            }

            /// The mode of a detector.
            ///
            /// # Errors
            /// When there is none of this name.
            pub fn mode(&mut self, detector: &str) -> Result<&mut Mode, UnknownDetector> {
                match detector {
                    $(<$detector::Pod as crate::detector::Detector>::ID => {
                        Ok(&mut self.$detector.mode)
                    })+
                    _ => Err(UnknownDetector),
                }
            }

            /// The thresholds of a detector.
            ///
            /// # Errors
            /// When there is none of this name.
            pub fn limits(detector: &str) -> Result<Vec<Limit>, UnknownDetector> {
                match detector {
                    $(<$detector::Pod as crate::detector::Detector>::ID => {
                        Ok($detector::Thresholds::limits())
                    })+
                    _ => Err(UnknownDetector),
                }
            }

            /// What the thresholds of a detector are set to, in the order of its limits, and its mode.
            ///
            /// # Errors
            /// When there is none of this name.
            pub fn values(&self, detector: &str) -> Result<(Mode, Vec<Quantity>), UnknownDetector> {
                match detector {
                    $(<$detector::Pod as crate::detector::Detector>::ID => {
                        let setting = &self.$detector;
                        Ok((setting.mode, setting.thresholds.values()))
                    })+
                    _ => Err(UnknownDetector),
                }
            }

            /// Sets a threshold of a detector, of which there is one of this name.
            ///
            /// # Errors
            /// When the detector has no such threshold, or the value is out of range.
            pub fn set(
                &mut self,
                detector: &str,
                key: &str,
                value: Quantity,
            ) -> Result<(), LimitError> {
                match detector {
                    $(<$detector::Pod as crate::detector::Detector>::ID => {
                        self.$detector.thresholds.set(key, value)
                    })+
                    _ => Err(LimitError::Unknown { keys: Vec::new() }),
                }
            }
        }

        /// All that is known of one pod.
        #[derive(Clone, Debug, Default)]
        struct Pod {
            settings: Arc<Settings>,
            /// By what name its baselines go.
            workload: String,
            /// It is known which workload it is.
            is_named: bool,
            allowance: Allowance,
            probes: Probes,
            messages: Messages,
            $($detector: $detector::Pod,)+
        }

        impl Pod {
            fn observe(
                &mut self,
                observation: &Observation,
                now: Time,
                serial: &mut u64,
                shared: &mut Shared,
                found: &mut Vec<Anomaly>,
            ) -> u64 {
                let settings = Arc::clone(&self.settings);
                let silence = settings.outcomes.silence;
                let declared = [&*shared.declared, &*shared.declared_by_pods];
                self.probes.observe(observation, now, silence, declared);
                let mut forgotten = self.probes.forgotten;
                self.messages.observe(observation, &mut forgotten);
                let steps = std::mem::take(&mut self.probes.steps);
                $(if settings.$detector.mode != Mode::Off {
                    let before = found.len();
                    let mut seen = Seen {
                        observation,
                        now,
                        steps: &steps,
                        messages: &self.messages,
                        probes: &mut self.probes,
                        usual: Usual {
                            workload: &self.workload,
                            baselines: &mut shared.baselines,
                            peers: &mut shared.peers,
                        },
                        serial,
                        forgotten: &mut forgotten,
                        found,
                    };
                    self.$detector.observe(&mut seen, &settings.$detector.thresholds);
                    shade(settings.$detector.mode, found, before);
                })+
                forgotten += shared.baselines.take_forgotten();
                self.probes.steps = steps;
                let needed = [$(self.$detector.needs_probes_since()),+];
                let start = needed.into_iter().flatten().min().unwrap_or(now);
                self.probes.sweep(start, now, silence);
                forgotten
            }

            /// Is judged by these from now on. A detector that is off by them closes what is open.
            fn set(&mut self, settings: Arc<Settings>, found: &mut Vec<Anomaly>) {
                let former = std::mem::replace(&mut self.settings, settings);
                let first = found.len();
                $(if self.settings.$detector.mode == Mode::Off {
                    let before = found.len();
                    self.$detector.close(&self.probes, found);
                    shade(former.$detector.mode, found, before);
                    self.$detector = $detector::Pod::default();
                })+
                if found.len() > first {
                    // What was told of is no news when the detector is on again.
                    self.probes.spend();
                }
            }

            fn close(&mut self, found: &mut Vec<Anomaly>) {
                $(
                    let before = found.len();
                    self.$detector.close(&self.probes, found);
                    shade(self.settings.$detector.mode, found, before);
                )+
            }

            /// Bytes it takes now, itself not counted.
            #[cfg(test)]
            fn heap_bytes(&self) -> usize {
                self.probes.heap_bytes() + self.messages.heap_bytes() $(+ self.$detector.heap_bytes())+
            }

            fn budget(&self, now: Time) -> Budget {
                let settings = &self.settings;
                let mut budget = Budget::UNLIMITED;
                $(if settings.$detector.mode != Mode::Off {
                    let thresholds = &settings.$detector.thresholds;
                    budget = budget.min(self.$detector.budget(&self.probes, now, thresholds));
                })+
                budget
            }
        }
    };
}

detectors! {
    /// Many ports of one host, or of many.
    port_scan,
    /// Many ports of the pod, tried by whomever.
    port_scan_target,
    /// One port of many hosts, or many addresses.
    ip_sweep,
    /// Many IP protocols of one host.
    protocol_scan,
    /// Many domains that nobody registered.
    dga,
    /// Data in names and in answers.
    dns_tunnel,
    /// Names tried to learn what there is.
    dns_enumeration,
    /// Zones asked for as a whole.
    zone_transfer,
    /// What goes to the port of DNS and is none.
    malformed_dns,
    /// TCP flags that no operating system sends.
    odd_flags,
    /// First fragments too small for the header they begin.
    tiny_fragments,
    /// Sources that are none of the pod's addresses.
    spoofed_source,
    /// Data in ICMP echoes.
    icmp_tunnel,
    /// Packets within packets.
    unexpected_tunnel,
    /// Another protocol than a port is for.
    protocol_mismatch,
    /// Half-open connections by the thousand.
    syn_flood,
    /// Datagrams that nobody wants.
    udp_flood,
    /// ICMP requests by the thousand.
    icmp_flood,
    /// Segments of no connection.
    ack_flood,
    /// More bytes sent than usual.
    bytes_out,
    /// More bytes received than usual.
    bytes_in,
    /// Calls to one destination at a regular interval.
    beacon,
    /// Peers that neither the workload nor its replicas ever talked to.
    new_peer,
}

/// What the pods share.
#[derive(Clone, Debug, Default)]
struct Shared {
    baselines: Baselines,
    peers: Peers,
    allowance: NodeAllowance,
    declared: Arc<Declared>,
    declared_by_pods: Arc<Declared>,
}

/// A deterministic state machine: the same observations and times give the same anomalies.
///
/// Each pod is judged by itself. What is known of one takes [`Detectors::POD_BYTES`] at most, whatever it
/// sends, and most take a few kilobytes.
///
/// ```
/// use std::net::Ipv4Addr;
/// use detect::{
///     Contact, Detectors, Observation, Outcome, Settings, State, Subject, Technique, Time, Transport,
/// };
///
/// let pod = Subject { ifindex: 7, epoch: 1 };
/// let mut detectors = Detectors::new(Settings::default());
/// let contact = |port: u16, outcome| Contact {
///     at: Time::from_nanoseconds(port.into()),
///     pod: Ipv4Addr::new(10, 244, 147, 92).into(),
///     peer: Ipv4Addr::new(10, 244, 147, 93).into(),
///     port,
///     transport: Transport::Tcp,
///     outcome,
///     spoofed: false,
///     contained: false,
/// };
/// let mut scan = Observation::empty(pod);
/// scan.tcp_ports = (1..=10).collect();
/// scan.refused = (1..=10).collect();
/// scan.contacts = (1..=10)
///     .flat_map(|port| {
///         [contact(port, Outcome::Sent(Technique::Syn)), contact(port, Outcome::Refused)]
///     })
///     .collect();
///
/// let mut found = Vec::new();
/// detectors.observe(&scan, Time::from_nanoseconds(20), &mut found);
/// assert_eq!((found[0].detector, found[0].state), ("port_scan", State::Opened));
/// assert_eq!(found[0].crossed_at, Time::from_nanoseconds(10));
/// ```
#[derive(Clone, Debug)]
pub struct Detectors {
    /// Of pods that have none of their own.
    settings: Arc<Settings>,
    pods: HashMap<Subject, Box<Pod>>,
    shared: Shared,
    serial: u64,
    forgotten: u64,
}

impl Detectors {
    /// Bytes that what is known of one pod takes at most, whatever it sends.
    pub const POD_BYTES: usize = 8 << 20;

    /// Detectors that have seen nothing.
    #[must_use]
    pub fn new(settings: impl Into<Arc<Settings>>) -> Self {
        Self {
            settings: settings.into(),
            pods: HashMap::new(),
            shared: Shared::default(),
            serial: 0,
            forgotten: 0,
        }
    }

    /// Takes in an observation and appends what follows from it to `found`.
    ///
    /// `now` never decreases, and no packet in the observation is later than it.
    pub fn observe(&mut self, observation: &Observation, now: Time, found: &mut Vec<Anomaly>) {
        let pod = pod(&mut self.pods, observation.subject, &self.settings);
        let (before, serial) = (found.len(), &mut self.serial);
        self.forgotten += pod.observe(observation, now, serial, &mut self.shared, found);
        let node = &mut self.shared.allowance;
        pod.allowance.hold_back(node, found, before, now);
    }

    /// What the datapath may let pass before it must wake the detectors up.
    #[must_use]
    pub fn budget(&self, subject: Subject, now: Time) -> Budget {
        match self.pods.get(&subject) {
            Some(pod) => pod.budget(now),
            None => Pod::new(subject, &self.settings).budget(now),
        }
    }

    /// Evidence of all subjects so far that found no room in its bounds.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// After so long without a packet nothing opens and nothing closes any more.
    #[must_use]
    pub fn settled(&self) -> Duration {
        let longest = reach(HORIZONS.len() - 1).max(self.settings.longest_quiet());
        longest + self.settings.outcomes.silence + MINUTE
    }
}

impl Pod {
    /// Begins as a workload of its own.
    fn new(subject: Subject, settings: &Arc<Settings>) -> Box<Self> {
        Box::new(Self {
            settings: Arc::clone(settings),
            workload: unnamed(subject),
            ..Self::default()
        })
    }
}

fn pod<'a>(
    pods: &'a mut HashMap<Subject, Box<Pod>>,
    subject: Subject,
    settings: &Arc<Settings>,
) -> &'a mut Pod {
    pods.entry(subject)
        .or_insert_with(|| Pod::new(subject, settings))
}

/// The name of the workload that a subject is until somebody names it; no name of Kubernetes begins so.
fn unnamed(subject: Subject) -> String {
    format!("#{}.{}", subject.ifindex, subject.epoch)
}

/// Marks what a detector in shadow found.
fn shade(mode: Mode, found: &mut [Anomaly], since: usize) {
    for anomaly in found.iter_mut().skip(since) {
        anomaly.shadow = mode == Mode::Shadow;
    }
}

#[cfg(test)]
mod tests;
