//! What may pass before it is called an IP sweep.

use std::time::Duration;

use crate::{
    limits::{DAY, SECOND, thresholds},
    window::PerHorizon,
};

/// Hosts there may be in a group, and with them the largest count a threshold can be compared with.
pub(super) const HOSTS: u32 = 256;
/// Pairs of host and port that are remembered.
pub(super) const PAIRS: u32 = 1024;

thresholds! {
    /// Thresholds of the IP sweep detector; a count that reaches one opens an anomaly.
    Thresholds {
        /// Distinct hosts on which one port, ICMP requests or address resolution failed within a minute; 16.
        failed_hosts_per_minute: u32 = 16, 1 => HOSTS,
            "distinct hosts on which one port, ping or address resolution failed";
        /// The same within an hour; 20, so that a host every three minutes is a sweep still.
        failed_hosts_per_hour: u32 = 20, 1 => HOSTS,
            "distinct hosts on which one port, ping or address resolution failed";
        /// Distinct hosts of which one port, ICMP request or address resolution failed or is overdue, within a
        /// minute; 25.
        ///
        /// Twenty-five pings at once told sweeps from monitoring in the captures.
        unanswered_hosts_per_minute: u32 = 25, 1 => HOSTS,
            "distinct hosts on which one port, ping or address resolution failed or is overdue";
        /// Distinct pairs of host and port that failed within a minute; 64, four for each of 16 hosts.
        failed_pairs_per_minute: u32 = 64, 1 => PAIRS,
            "distinct pairs of host and port that failed, over 8 hosts or more";
        /// By how much hosts that failed must outnumber those that answered; 9.
        excess_failures: u32 = 9, 1 => HOSTS,
            "by how much failed hosts must outnumber those that answered";
        /// An anomaly without a failure for this long is closed; 3 min, more than the pause between two
        /// rounds of a monitoring pod.
        quiet: Duration = Duration::from_secs(180), SECOND => DAY,
            "an anomaly without a failure for so long is closed";
    }
}

impl Thresholds {
    pub(super) const fn failed_hosts(&self) -> PerHorizon {
        [self.failed_hosts_per_minute, self.failed_hosts_per_hour]
    }
}
