//! The real binary against a gRPC server of the tests' own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod anomalies;
mod arguments;
mod certs;
mod config;
mod doctor;
mod events;
mod follow;
mod forms;
mod kubectl;
mod process;
mod pseudo_terminal;
mod selftest;
mod server;
mod status;
mod told;
mod top;
