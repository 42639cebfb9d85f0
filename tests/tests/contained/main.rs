//! Containment against real scanners, real operators and a real kernel.

mod commands;
mod holds;
mod propose;
mod scan;
