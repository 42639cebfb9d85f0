//! How many names it takes.

use std::time::Duration;

use crate::limits::{DAY, MINUTE, SECOND, thresholds};

/// Services remembered.
pub(super) const SERVICES: u32 = 256;
/// Names of all services remembered.
pub(super) const WILDCARDS: u32 = 16;
/// Addresses of a block.
pub(super) const ADDRESSES: u32 = 256;
/// Names remembered of one domain, of those that exist and of those that do not.
pub(super) const WORDS: u32 = 128;

thresholds! {
    /// Thresholds of the detector of enumeration by names.
    Thresholds {
        /// Distinct names of services of the cluster that do not exist, within a minute; 20.
        ///
        /// A workload that is set up wrong asks for those it depends on, a dozen at most; who tries words
        /// asks for hundreds.
        unknown_services_per_minute: u32 = 20, 1 => SERVICES,
            "distinct services that do not exist";
        /// The same within an hour; 60.
        unknown_services_per_hour: u32 = 60, 1 => SERVICES,
            "distinct services that do not exist";
        /// Names of services with a wildcard in them, within a minute; 1.
        ///
        /// No client has any use for one. Name servers of clusters once answered them with all there is.
        wildcards_per_minute: u32 = 1, 1 => WILDCARDS,
            "names of all services at once";
        /// Distinct addresses of one block of 256 whose names are asked for, within a minute; 64.
        ///
        /// A quarter of the block. Whoever looks up whom he meets meets few of one block in a minute.
        reverse_names_per_minute: u32 = 64, 1 => ADDRESSES,
            "distinct addresses of a block whose names are asked for";
        /// The same within an hour; 160.
        ///
        /// A node has a block, and 110 pods in it at most by default, so whoever looks up all that he
        /// meets has fewer.
        reverse_names_per_hour: u32 = 160, 1 => ADDRESSES,
            "distinct addresses of a block whose names are asked for";
        /// Distinct short names of one registered domain that do not exist or get no answer, within a
        /// minute; 32.
        ///
        /// A list of words has thousands. The smallest flood of names in public captures has 40.
        unknown_names_per_minute: u32 = 32, 1 => WORDS,
            "distinct short names of one domain that do not exist";
        /// The same within an hour; 128.
        unknown_names_per_hour: u32 = 128, 1 => WORDS,
            "distinct short names of one domain that do not exist";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}
