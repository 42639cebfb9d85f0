//! The collector: agents' events in, one ordered log on disk, any number of subscribers out.

mod access;
mod actions;
mod anomalies;
pub mod config;
mod correlate;
mod detectors;
pub mod forms;
mod graph;
mod identity;
mod ingest;
pub mod metrics;
mod nodes;
mod outputs;
mod page;
mod policy;
pub mod server;
mod status;
mod store;
mod subscribe;
mod web;
