//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod anomaly;
mod detector;
mod kinds;
mod observation;
mod port_scan;
mod sketch;
mod time;

pub use anomaly::{
    Anomaly, AnomalyId, Coverage, Criterion, Measure, PortCounts, Severity, State, Target,
};
pub use detector::{Budget, Detector};
pub use kinds::{Class, Count, ParseFailure, Technique, Transport, VolumeClass};
pub use observation::{Contact, Hosts, Observation, Outcome, Sample, SampleKind, Subject, Volume};
pub use port_scan::{PortScan, Thresholds, ThresholdsError};
pub use sketch::Sketch;
pub use time::Time;
