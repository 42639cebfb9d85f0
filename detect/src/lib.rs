//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod ack_flood;
mod anomaly;
mod baselines;
mod bytes_in;
mod bytes_out;
mod case;
mod detector;
mod detectors;
mod icmp_flood;
mod ip_sweep;
mod kinds;
mod limits;
mod observation;
mod port_scan;
mod probes;
mod protocol_scan;
mod sketch;
mod syn_flood;
mod tally;
mod time;
mod udp_flood;
mod volume;
mod window;

pub use ack_flood::Thresholds as AckFloodThresholds;
pub use anomaly::{Anomaly, AnomalyId, Coverage, Criterion, PortCounts, Severity, State, Target};
pub use baselines::{Baseline, Cell, DamagedBaseline, Series};
pub use bytes_in::Thresholds as BytesInThresholds;
pub use bytes_out::Thresholds as BytesOutThresholds;
pub use detector::{Budget, Words};
pub use detectors::{
    DETECTORS, Detectors, Mode, Outcomes, Setting, Settings, UnknownDetector, UnknownMode, words,
};
pub use icmp_flood::Thresholds as IcmpFloodThresholds;
pub use ip_sweep::Thresholds as IpSweepThresholds;
pub use kinds::{Class, Count, Flow, Measure, ParseFailure, Technique, Transport, VolumeClass};
pub use limits::{Limit, LimitError, Quantity, Thresholds};
pub use observation::{Contact, Hosts, Observation, Outcome, Sample, SampleKind, Subject, Volume};
pub use port_scan::Thresholds as PortScanThresholds;
pub use protocol_scan::Thresholds as ProtocolScanThresholds;
pub use sketch::Sketch;
pub use syn_flood::Thresholds as SynFloodThresholds;
pub use time::Time;
pub use udp_flood::Thresholds as UdpFloodThresholds;
