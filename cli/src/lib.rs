//! `picket`: what the collector and the agents know, on the command line.

mod agent;
mod arguments;
mod certs;
mod config;
mod doctor;
mod events;
mod failure;
mod json;
mod manual;
mod names;
mod output;
mod palette;
mod replay;
mod run;
mod selftest;
mod server;
mod status;
mod table;
mod time;

pub use arguments::Arguments;
pub use failure::RunError;
pub use run::run;
