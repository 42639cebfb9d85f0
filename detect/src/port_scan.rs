//! Finds port scans, by the ports that fail and by the ports there are.

mod destination;
mod destinations;
mod evidence;
mod pod;
mod port_set;
mod recent_ports;
mod report;
mod scan;
mod thresholds;
mod window;

use hashbrown::HashMap;

use self::pod::Pod;
pub use self::thresholds::{Thresholds, ThresholdsError};
use crate::{Anomaly, Budget, Detector, Observation, Subject, Time};

/// Finds pods that try many TCP ports, by two rules over a sliding minute and a sliding hour each.
///
/// It judges TCP probes of every [`Technique`](crate::Technique); contacts over other transports are none
/// of its evidence. Refused ports are told for all transports together: those count that were tried over
/// TCP too.
///
/// - **Failed ports of one destination.** A port of a destination fails when it refuses, or when a
///   probe has neither an answer nor a refusal after [`Thresholds::silence`]; an answer that comes
///   later takes the failure back. An outcome counts only of a probe that was sent, so that nobody
///   else can accuse a pod. While records are lost the probe's may be among them, and any outcome
///   counts; one of them may have been an answer, so each excuses one silent probe.
/// - **Distinct ports of the pod**, whatever came of them. Ports have no times of their own: they
///   count from the `now` of their observation.
///
/// What is counted counts for the whole window and for less than a sixtieth of it longer: there is
/// no seam, and nothing is forgotten early. When both rules are crossed in one observation, the
/// anomaly names the first; of a rule it names the minute when both windows are crossed.
///
/// # Life of an anomaly
/// A pod has one open anomaly at most. It opens with the ports of the window that was crossed. It
/// is updated when its distinct ports reach another power of ten, and when another destination
/// crosses the first rule. It closes after [`Thresholds::quiet`] without a port, a refused port or
/// a failed port of a destination that is new to it. Closing spends the evidence: everything
/// counted so far is forgotten, so only that many failures or ports anew open another.
///
/// It is `High` once a destination has crossed the first rule, else `Medium`. A destination is a
/// target when a port of it failed or when more than one was probed; when none is, all are.
///
/// # Budget
/// Without an open anomaly: what is left to the nearest threshold. With one: what is left to the
/// next power of ten, and as many refusals as a new destination needs to cross, but at least a
/// tenth of those there were, so that a scan of all ports wakes the detector about 70 times. The datapath
/// spends it on ports over other transports as well: that wakes it up more often, never later.
///
/// # Bounds
/// Of each pod 1,024 destinations and 65,536 ports of destinations are remembered, and 8,192
/// probes may await an answer. The oldest probe makes room, and the destination with the fewest
/// failed ports, of those the one idle longest; what is lost so is counted in
/// [`Coverage::records_dropped`](crate::Coverage) and in [`Detector::forgotten`]. The distinct ports themselves are exact in any case. All of it takes
/// [`PortScan::POD_BYTES`] at most: 2 MiB for the ports of destinations, 0.8 MiB for the
/// destinations, 0.8 MiB for the pod's own ports, and 0.3 MiB for what awaits an answer.
///
/// ```
/// use std::net::Ipv4Addr;
/// use detect::{
///     Contact, Detector, Observation, Outcome, PortScan, State, Subject, Technique, Thresholds, Time,
///     Transport,
/// };
///
/// let pod = Subject { ifindex: 7, epoch: 1 };
/// let mut detector = PortScan::new(Thresholds::default());
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
/// detector.observe(&scan, Time::from_nanoseconds(20), &mut found);
/// assert_eq!(found[0].state, State::Opened);
/// assert_eq!(found[0].crossed_at, Time::from_nanoseconds(10));
/// assert_eq!(detector.budget(pod, Time::from_nanoseconds(20)).ports, 90);
/// ```
#[derive(Clone, Debug)]
pub struct PortScan {
    thresholds: Thresholds,
    pods: HashMap<Subject, Pod>,
    serial: u64,
    forgotten: u64,
}

impl PortScan {
    /// The id of the detector.
    pub const ID: &str = scan::DETECTOR;

    /// Bytes that what is known of one pod takes at most, whatever it sends.
    pub const POD_BYTES: usize = 4 << 20;

    /// A detector that has seen nothing; the thresholds are [valid](Thresholds::validate).
    #[must_use]
    pub fn new(thresholds: Thresholds) -> Self {
        Self {
            thresholds,
            pods: HashMap::new(),
            serial: 0,
            forgotten: 0,
        }
    }
}

impl Detector for PortScan {
    fn observe(&mut self, observation: &Observation, now: Time, found: &mut Vec<Anomaly>) {
        let pod = self.pods.entry(observation.subject).or_default();
        self.forgotten += pod.observe(observation, now, &self.thresholds, &mut self.serial, found);
    }

    fn remove(&mut self, subject: Subject, _now: Time, found: &mut Vec<Anomaly>) {
        found.extend(self.pods.remove(&subject).and_then(|pod| pod.close()));
    }

    fn budget(&self, subject: Subject, now: Time) -> Budget {
        let unseen = Pod::default();
        self.pods
            .get(&subject)
            .unwrap_or(&unseen)
            .budget(now, &self.thresholds)
    }

    fn forgotten(&self) -> u64 {
        self.forgotten
    }
}
