//! Correlation: what the events of many pods say together. Events in commit order and time in, events of its
//! own out; no I/O and no clock.
//!
//! It finds, among port scans and IP sweeps of all nodes:
//!
//! - **distributed scan**: several pods scan or sweep one target;
//! - **workload sweep**: several pods of one workload, on several nodes, scan or sweep;
//! - **dependency down**: many pods fail towards one target alike.
//!
//! # Clients and scanners
//! A pod whose dependency is down fails on the few ports that its other clients fail on too. Scanners that
//! share a target split its ports, or try more than a few. So a pod *may be a client* as long as all it
//! tried failed, over connections that operating systems make, on [`Sighting::FEW`] ports at most of one
//! address, or with less than a hundred ports of hosts on one service of several. It *is* one when at least
//! half of what it tried is tried by others that may be clients. Clients of one address, or of the pods of
//! one workload, are counted as those of a dependency that is down; other pods are counted as scanners.
//! Clients of many addresses that nobody knows are neither: a swept network looks like that, and so does a
//! node that is gone.
//!
//! # Time
//! Windows are of the times at which agents raised events, whenever they come in; a time in the future is
//! taken for now. A correlation is closed after its quiet without an event that is part of it, and an hour
//! after it opened at the latest: so what a restart has to read again is bounded. Closing spends the
//! evidence.
//!
//! # Bounds
//! Evidence, sources of one target, open correlations and what each remembers are bounded, see the constants.
//! What found no room is counted.

mod case;
mod correlator;
mod crossing;
mod evidence;
mod metrics;
mod settings;
mod sighting;
mod time;

pub(crate) use correlator::Correlator;
pub(crate) use metrics::Metrics;
pub use settings::{SettingError, Settings};
pub(crate) use sighting::Sighting;
pub(crate) use time::Time;

#[cfg(test)]
mod tests;
