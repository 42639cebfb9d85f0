//! `picket`: what the collector and the agents know, on the command line.

mod agent;
mod anomalies;
mod arguments;
mod certs;
mod config;
mod contain;
mod detectors;
mod doctor;
mod events;
mod explain;
mod facts;
mod failure;
mod filter;
mod form;
mod graph;
mod json;
mod kubectl;
mod manual;
mod names;
mod output;
mod palette;
mod policy;
mod progress;
mod replay;
mod run;
mod selftest;
mod server;
mod severity;
mod status;
mod table;
mod time;
mod top;

pub use arguments::Arguments;
pub use failure::RunError;
pub use run::run;
