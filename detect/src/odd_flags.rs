//! Finds pods that send TCP segments with flags no operating system sends.
//!
//! Looks for segments with neither ACK nor RST whose flags are not SYN alone: none at all, FIN alone, FIN with
//! PSH and URG, or any other set. RFC 9293 (section 3.10) has every segment carry ACK once a connection stands,
//! and the first one SYN, so no stack sends them. They are made with raw sockets: to get past filters
//! that look at SYN only, to tell open ports by silence, and to tell operating systems apart.
//!
//! Evaded by fewer than the threshold in a minute, and by flags that stacks send: a scan with SYN, ACK, or
//! FIN and ACK is not seen here, but by what becomes of its probes.

use std::time::Duration;

use crate::{
    Anomaly, Class, Measure, Severity, Technique, Words,
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    packets::{Packets, Rule, sent_by},
    probes::Probes,
};

thresholds! {
    /// Thresholds of the detector of odd flags.
    Thresholds {
        /// TCP segments with flags that no operating system sends, within a minute; 10.
        ///
        /// Measured: none in 19 benign captures of our own and 403 public ones. Fewer may be a broken middlebox;
        /// a FIN, NULL or Xmas scan of a hundred ports sends a hundred and more in seconds.
        packets_per_minute: u32 = 10, 1 => 1_000_000,
            "TCP segments with odd flags";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

const CLASSES: [Class; 4] = [Class::Null, Class::Fin, Class::Xmas, Class::OddFlags];
const TECHNIQUES: [Technique; 4] = [
    Technique::Null,
    Technique::Fin,
    Technique::Xmas,
    Technique::Other,
];

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    packets: Packets,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "odd_flags";

    const WORDS: Words = Words {
        opened: "sent TCP segments with odd flags to {}",
        updated: "still sends TCP segments with odd flags to {}",
        closed: "stopped sending TCP segments with odd flags to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let initiated = &seen.observation.initiated;
        let packets = CLASSES.iter().map(|&class| initiated[class as usize]);
        let rule = Rule {
            detector: Self::ID,
            attack_ids: &["T1046"],
            // A scan with them is an anomaly of its own, and a worse one.
            severity: Severity::Low,
            measure: Measure::OddFlags,
            threshold: thresholds.packets_per_minute,
            holds: true,
            quiet: thresholds.quiet,
        };
        let signs = |seen: &Seen<'_>| sent_by(seen, &TECHNIQUES);
        self.packets.observe(seen, packets.sum(), signs, &rule);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.packets.heap_bytes()
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        self.packets.close(probes, found);
    }
}
