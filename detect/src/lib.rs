//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod anomaly;
mod case;
mod detector;
mod detectors;
mod icmp_tunnel;
mod ip_sweep;
mod kinds;
mod limits;
mod observation;
mod odd_flags;
mod packets;
mod port_scan;
mod probes;
mod protocol;
mod protocol_mismatch;
mod protocol_scan;
mod sketch;
mod spoofed_source;
mod tally;
mod time;
mod tiny_fragments;
mod unexpected_tunnel;
mod window;

pub use anomaly::{Anomaly, AnomalyId, Coverage, Criterion, PortCounts, Severity, State, Target};
pub use detector::{Budget, Words};
pub use detectors::{
    DETECTORS, Detectors, Mode, Outcomes, Setting, Settings, UnknownDetector, UnknownMode, words,
};
pub use icmp_tunnel::Thresholds as IcmpTunnelThresholds;
pub use ip_sweep::Thresholds as IpSweepThresholds;
pub use kinds::{Class, Count, Measure, ParseFailure, Technique, Transport, VolumeClass};
pub use limits::{Limit, LimitError, Quantity, Thresholds};
pub use observation::{Contact, Hosts, Observation, Outcome, Sample, SampleKind, Subject, Volume};
pub use odd_flags::Thresholds as OddFlagsThresholds;
pub use port_scan::Thresholds as PortScanThresholds;
pub use protocol_mismatch::Thresholds as ProtocolMismatchThresholds;
pub use protocol_scan::Thresholds as ProtocolScanThresholds;
pub use sketch::Sketch;
pub use spoofed_source::Thresholds as SpoofedSourceThresholds;
pub use time::Time;
pub use tiny_fragments::Thresholds as TinyFragmentsThresholds;
pub use unexpected_tunnel::Thresholds as UnexpectedTunnelThresholds;
