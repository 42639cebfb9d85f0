//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod anomaly;
mod detector;
mod observation;
mod port_scan;
mod time;

pub use anomaly::{
    Anomaly, AnomalyId, Coverage, Criterion, Measure, PortCounts, Severity, State, Target,
};
pub use detector::{Budget, Detector};
pub use observation::{Contact, Observation, Outcome, Subject, Technique, Volume};
pub use port_scan::{PortScan, Thresholds, ThresholdsError};
pub use time::Time;
