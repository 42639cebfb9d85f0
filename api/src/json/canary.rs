//! `picket.v1.Canary` as JSON.

use serde::Serialize;

use crate::{times, v1};

/// How an agent found its own scan.
#[derive(Debug, Serialize)]
pub struct Canary<'a> {
    at: Option<String>,
    found: bool,
    delay: Option<String>,
    packets_sent: u64,
    packets_counted: u64,
    packets_sent_back: u64,
    packets_counted_back: u64,
    reason: &'a str,
}

impl<'a> Canary<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(canary: &'a v1::Canary) -> Self {
        Self {
            at: times::exact(canary.at),
            found: canary.found,
            delay: canary.delay.map(times::seconds),
            packets_sent: canary.packets_sent,
            packets_counted: canary.packets_counted,
            packets_sent_back: canary.packets_sent_back,
            packets_counted_back: canary.packets_counted_back,
            reason: &canary.reason,
        }
    }
}
