//! Real collectors and real clients of theirs.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is tests, not only the functions that say so"
)]

mod actions;
mod agent;
mod anomalies;
mod api_server;
mod closed;
mod correlations;
mod engine;
mod failures;
mod garbage;
mod graph;
mod harness;
mod identity;
mod intake;
mod large_cluster;
mod log;
mod nodes;
mod outputs;
mod page;
mod page_closed;
mod page_stream;
mod policy;
mod postgres;
mod process;
mod replicas;
mod retention;
mod reviews;
mod scopes;
mod secrets;
mod security;
mod skew;
mod subscriber;
mod subscribers;
