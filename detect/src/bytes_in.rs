//! Finds pods that receive unusually many bytes: tools that are brought in.

use std::time::Duration;

use crate::{
    Contact, Flow, Measure, Observation, Outcome, Severity, Transport, Words,
    volume::{self, Bounds, Counted, Kind, Recent, SIDES, TEN_SECONDS, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the detector of unusually many bytes received.
    {
        /// Bytes received within ten seconds, whatever is usual; 1 TiB, which no interface carries.
        ///
        /// Volume alone tells no theft from a backup: a backup and an image pull peaked at 25 MB/s, an
        /// exfiltration at 50. So nothing but what is usual decides, unless somebody knows a bound.
        ceiling_in_10s: u64 = 1 << 40, 1 => 1 << 40,
            "bytes received within ten seconds, whatever is usual";
        /// Fewer bytes within ten seconds are never unusual; 8 MiB.
        ///
        /// A set of tools is of this size; smaller answers are what a client gets that asks for a little more
        /// than usual.
        floor_in_10s: u64 = 8 << 20, 1 => 1 << 40,
            "fewer bytes within ten seconds are never unusual";
    }
}

/// Bytes received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BytesIn;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<BytesIn>;

impl Kind for BytesIn {
    type Thresholds = Thresholds;

    const ID: &'static str = "bytes_in";
    const WORDS: Words = Words {
        opened: "receives unusually many bytes, from {} of late",
        updated: "still receives unusually many bytes, from {}",
        closed: "stopped receiving unusually many bytes, from {}",
        samples: "such as",
    };
    const MEASURE: Measure = Measure::Bytes;
    const ATTACK_IDS: &'static [&'static str] = &["T1105"];
    const SEVERITIES: [Severity; 2] = [Severity::Low, Severity::Low];
    const FLOWS: [Option<Flow>; SIDES] = [None, Some(Flow::BytesReceived)];
    const CEILING_WINDOW: Duration = TEN_SECONDS;

    fn counted(observation: &Observation, _recent: &Recent) -> [Counted; SIDES] {
        let bytes = observation.received.iter().map(|volume| volume.bytes).sum();
        [Counted::default(), Counted::plain(bytes)]
    }

    fn concerns(contact: &Contact) -> bool {
        let is_data = matches!(contact.transport, Transport::Tcp | Transport::Udp);
        is_data && contact.port != 53 && matches!(contact.outcome, Outcome::Sent(_))
    }

    fn is_aimed_at_pod(_side: usize) -> bool {
        false
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([u64::MAX, thresholds.ceiling_in_10s])
    }
}
