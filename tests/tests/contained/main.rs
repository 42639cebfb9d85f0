//! Containment against real scanners, real operators and a real kernel.

mod commands;
mod scan;
