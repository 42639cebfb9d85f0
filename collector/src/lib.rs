//! The collector: agents' events in, one ordered log on disk, any number of subscribers out.

mod access;
mod actions;
pub mod config;
mod correlate;
mod identity;
mod ingest;
pub mod metrics;
mod nodes;
mod policy;
pub mod server;
mod status;
mod store;
mod subscribe;
mod web;
