//! How many names it takes.

use std::time::Duration;

use crate::limits::{DAY, MINUTE, SECOND, thresholds};

/// Names remembered of one domain, of each kind.
pub(super) const UNUSED_TYPES: u32 = 32;
pub(super) const TWO_WAY_NAMES: u32 = 64;
pub(super) const ONE_WAY_NAMES: u32 = 128;

thresholds! {
    /// Thresholds of the detector of DNS tunnels.
    Thresholds {
        /// Distinct names of one domain within a minute, of types that only tunnels ask for; 8.
        ///
        /// No software publishes records of type NULL or of the private range (RFC 1035 and 6895); a
        /// tunnel's handshake alone has a dozen.
        unused_types_per_minute: u32 = 8, 1 => UNUSED_TYPES,
            "distinct names of one domain and of a type nobody uses";
        /// Distinct names that look like data, of one domain and of types whose answers carry data too,
        /// within a minute; 10.
        ///
        /// A mail server asks for a few keys and policies of one domain. A tunnel without traffic asks
        /// once a second.
        two_way_names_per_minute: u32 = 10, 1 => TWO_WAY_NAMES,
            "distinct names like data, with answers that carry data";
        /// The same within an hour; 40.
        ///
        /// A tunnel that asks once in 90 s.
        two_way_names_per_hour: u32 = 40, 1 => TWO_WAY_NAMES,
            "distinct names like data, with answers that carry data";
        /// Distinct names that look like data, of one domain, whose addresses are asked for, within a
        /// minute; 30.
        ///
        /// Content networks, advertisers and virus scanners put digests into such names, a few with each
        /// page or file: one at most in the benign captures there are. Thirty names carry a key or two, and
        /// no file.
        one_way_names_per_minute: u32 = 30, 1 => ONE_WAY_NAMES,
            "distinct names like data, with answers that are addresses";
        /// The same within an hour; 120.
        one_way_names_per_hour: u32 = 120, 1 => ONE_WAY_NAMES,
            "distinct names like data, with answers that are addresses";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}
