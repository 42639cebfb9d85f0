//! What a detector found, with the evidence for it.

use std::{net::IpAddr, time::Duration};

use crate::{Count, Measure, Observation, Subject, Technique, Time, port_set::PortSet};

/// One step in the life of an anomaly.
#[derive(Clone, Debug, PartialEq)]
pub struct Anomaly {
    /// The same in every step of one life.
    pub id: AnomalyId,
    /// Which step.
    pub state: State,
    /// The detector's id.
    pub detector: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The detector is tried out: nobody is to be alarmed.
    pub shadow: bool,
    /// What was counted against which threshold when it opened.
    pub crossed: Criterion,
    /// When the packet passed that crossed the threshold.
    pub crossed_at: Time,
    /// When the first packet of the evidence passed.
    pub first_seen: Time,
    /// When the last one did.
    pub last_seen: Time,
    /// The pod's address, when an answer or a refusal reached it there.
    pub pod: Option<IpAddr>,
    /// Which part the pod has in it.
    pub role: Role,
    /// What it reached for, most failed ports first; at most [`Anomaly::TARGETS`].
    pub targets: Vec<Target>,
    /// Targets beyond those.
    pub further_targets: u64,
    /// What the measure counted over the whole life.
    pub counted: u64,
    /// Distinct ports over the whole life, where ports are what is counted.
    pub ports: PortCounts,
    /// Which they are, of a scan of ports.
    pub port_sets: Option<Box<PortSets>>,
    /// How it probes, when a record told it.
    pub technique: Option<Technique>,
    /// Some of what was counted, for people: names that were looked up, or what a payload began with; at
    /// most [`Anomaly::SAMPLES`].
    pub samples: Vec<String>,
    /// MITRE ATT&CK technique ids.
    pub attack_ids: &'static [&'static str],
    /// Events of the pod that were held back since the last one, because there were too many.
    pub withheld: u64,
    /// What could not be seen over the whole life.
    pub coverage: Coverage,
}

impl Anomaly {
    /// How many targets an anomaly names.
    pub const TARGETS: usize = 16;
    /// How many ports a target names.
    pub const SAMPLE_PORTS: usize = 16;
    /// How many samples it has.
    pub const SAMPLES: usize = 16;
}

/// Names one anomaly of one detector on this node, for as long as the detector lives.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct AnomalyId {
    /// Whose traffic.
    pub subject: Subject,
    /// Counts up for each anomaly of the detector.
    pub serial: u64,
}

/// Which part a pod has in an anomaly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// It does it.
    Source,
    /// It is done to it, and nobody knows for sure by whom: any address can be forged.
    Target,
}

/// A step in the life of an anomaly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum State {
    /// A threshold was crossed.
    Opened,
    /// It grew by a decade or reached a new target.
    Updated,
    /// It was quiet for a while, or its subject went.
    Closed,
}

/// How bad an anomaly is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Severity {
    /// Worth knowing when something else happens.
    Info,
    /// Worth a look some day.
    Low,
    /// Worth a look today.
    Medium,
    /// Worth a look now.
    High,
}

/// What was counted against which threshold, over which window.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Criterion {
    /// What was counted.
    pub measure: Measure,
    /// The count.
    pub counted: u64,
    /// The count that opens an anomaly.
    pub threshold: u64,
    /// Within this much time.
    pub window: Duration,
}

/// A destination, and how its ports took the probes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Target {
    /// Its address.
    pub address: IpAddr,
    /// Distinct ports that refused or stayed silent.
    pub failed_ports: u32,
    /// Distinct ports that answered.
    pub answered_ports: u32,
    /// Some of the ports probed, ascending; at most [`Anomaly::SAMPLE_PORTS`].
    pub sample_ports: Vec<u16>,
}

/// Distinct destination ports of the pod over the life of an anomaly.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PortCounts {
    /// Initiated to; exact.
    pub distinct: u32,
    /// Refused; exact.
    pub refused: u32,
    /// With an answer; from records.
    pub answered: u32,
    /// Without an answer in time; from records.
    pub silent: u32,
}

/// Which ports [`PortCounts`] counts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct PortSets {
    /// Initiated to.
    pub distinct: PortSet,
    /// Refused.
    pub refused: PortSet,
    /// With an answer.
    pub answered: PortSet,
}

/// What could not be seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Coverage {
    /// Records that found no room; their ports are still counted.
    pub records_dropped: u64,
    /// Packets that could not be parsed.
    pub parse_failures: u64,
    /// Volume was estimated from one packet in this many.
    pub sample_rate: u32,
    /// Initiating packets with a source that is none of the pod's addresses.
    pub spoofed_packets: u64,
    /// Initiating packets that were dropped, because the pod is contained.
    pub contained_packets: u64,
    /// How full the filters were at most that tell replies from probes, in percent.
    pub reply_filter_percent: u32,
}

impl Coverage {
    /// Adds what one more observation says, and evidence that found no room.
    pub(crate) fn take_in(&mut self, observation: &Observation, forgotten: u64) {
        self.records_dropped += observation.count(Count::RecordsDropped) + forgotten;
        self.parse_failures += observation.parse_failures();
        self.sample_rate = observation.sample_rate;
        self.spoofed_packets += observation.count(Count::Spoofed);
        self.contained_packets += observation.count(Count::Contained);
        self.reply_filter_percent = self
            .reply_filter_percent
            .max(observation.reply_filter_percent);
    }
}
