//! Delivery: every event goes to the collector until it is acknowledged, and to the agent's own
//! subscribers.

mod backoff;
mod connection_error;
mod downlink;
mod metrics;
mod nodes;
mod outbox;
mod outcomes;
mod publisher;
mod recent;
mod server;
mod spool;
mod stream;
mod subscribe;

pub use downlink::{COMMANDS, Downlink};
pub use metrics::Metrics;
pub use outbox::Outbox;
pub use outcomes::Outcomes;
pub use publisher::{Agent, Publisher};
pub use server::{Server, ServerError};
pub use spool::{Place, SpoolError, Spooling};

#[cfg(test)]
mod tests;
