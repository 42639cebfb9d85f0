//! Finds pods that send unusually many bytes: exfiltration.

use std::time::Duration;

use crate::{
    Contact, Flow, Measure, Observation, Outcome, Severity, Transport, Words,
    volume::{self, Bounds, Counted, Kind, Recent, SIDES, TEN_SECONDS, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the detector of unusually many bytes sent.
    {
        /// Bytes sent within ten seconds, whatever is usual; 1 TiB, which no interface carries.
        ///
        /// Volume alone tells no theft from a backup: a backup and an image pull peaked at 25 MB/s, an
        /// exfiltration at 50. So nothing but what is usual decides, unless somebody knows a bound.
        ceiling_in_10s: u64 = 1 << 40, 1 => 1 << 40,
            "bytes sent within ten seconds, whatever is usual";
        /// Fewer bytes within ten seconds are never unusual; 1 MiB.
        ///
        /// Below a megabit a second: what a pod logs when it starts is as much, and who steals slower than that
        /// is found by where he sends it to.
        floor_in_10s: u64 = 1 << 20, 1 => 1 << 40,
            "fewer bytes within ten seconds are never unusual";
    }
}

/// Bytes sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytesOut;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<BytesOut>;

impl Kind for BytesOut {
    type Thresholds = Thresholds;

    const ID: &'static str = "bytes_out";
    const WORDS: Words = Words {
        opened: "sends unusually many bytes, to {} of late",
        updated: "still sends unusually many bytes, to {}",
        closed: "stopped sending unusually many bytes, to {}",
        samples: "such as",
    };
    const MEASURE: Measure = Measure::Bytes;
    const ATTACK_IDS: &'static [&'static str] = &["T1041", "T1048"];
    const SEVERITIES: [Severity; 2] = [Severity::Medium, Severity::Medium];
    const FLOWS: [Option<Flow>; SIDES] = [Some(Flow::BytesSent), None];
    const CEILING_WINDOW: Duration = TEN_SECONDS;

    fn counted(observation: &Observation, _recent: &Recent) -> [Counted; SIDES] {
        let bytes = observation.sent.iter().map(|volume| volume.bytes).sum();
        [Counted::plain(bytes), Counted::default()]
    }

    fn concerns(contact: &Contact) -> bool {
        let is_data = matches!(contact.transport, Transport::Tcp | Transport::Udp);
        is_data && contact.port != 53 && matches!(contact.outcome, Outcome::Sent(_))
    }

    fn is_aimed_at_pod(_side: usize) -> bool {
        false
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([thresholds.ceiling_in_10s, u64::MAX])
    }
}
