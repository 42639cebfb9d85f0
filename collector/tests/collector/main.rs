//! Real collectors and real clients of theirs.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is tests, not only the functions that say so"
)]

mod agent;
mod closed;
mod correlations;
mod garbage;
mod harness;
mod intake;
mod log;
mod nodes;
mod process;
mod reviews;
mod scopes;
mod secrets;
mod security;
mod subscriber;
mod subscribers;
