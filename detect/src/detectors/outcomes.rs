//! How the outcomes of probes are judged, for all detectors alike.

use std::time::Duration;

use crate::limits::{SECOND, thresholds};

thresholds! {
    /// How the outcomes of probes are judged, for all detectors alike.
    Outcomes {
        /// A probe that got neither an answer nor a refusal for this long has failed; 2 s.
        ///
        /// Linux repeats a SYN after 1 s (RFC 6298, section 2.1), so two were lost or dropped by then.
        silence: Duration = 2 * SECOND, Duration::from_millis(100) => Duration::from_secs(60),
            "a probe unanswered for so long has failed";
    }
}
