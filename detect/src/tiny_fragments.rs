//! Finds pods that cut TCP headers into fragments, so that filters cannot read them.
//!
//! Looks for first fragments too small to hold the flags of TCP, or the first chunk of SCTP. Every link carries
//! 68 bytes (RFC 791), so no stack has a reason to cut within a header; who does hides the flags from
//! filters that look at each packet alone (RFC 1858, section 3; `nmap -f`).
//!
//! Evaded by fragments that just hold the flags, or by overlapping ones (RFC 1858, section 4): their first
//! fragments count as what their flags say.

use std::time::Duration;

use crate::{
    Anomaly, Class, Measure, Severity, Technique, Words,
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    packets::{Packets, Rule, sent_by},
    probes::Probes,
};

thresholds! {
    /// Thresholds of the detector of tiny fragments.
    Thresholds {
        /// First fragments too small for the header they begin, within a minute; 3.
        ///
        /// Measured: no three in any of 19 benign captures of our own and 403 public ones. One may be corrupt; a
        /// fragmented probe is one each.
        packets_per_minute: u32 = 3, 1 => 1_000_000,
            "first fragments too small for the header they begin";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    packets: Packets,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "tiny_fragments";

    const WORDS: Words = Words {
        opened: "sent tiny fragments to {}",
        updated: "still sends tiny fragments to {}",
        closed: "stopped sending tiny fragments to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let packets = seen.observation.initiated[Class::TinyFragment as usize];
        let rule = Rule {
            detector: Self::ID,
            // No technique of ATT&CK is about fragments. T1599 is about routers that were taken over and T1027
            // about files; what tiny fragments hide are probes.
            attack_ids: &["T1046"],
            severity: Severity::Medium,
            measure: Measure::TinyFragments,
            threshold: thresholds.packets_per_minute,
            holds: true,
            quiet: thresholds.quiet,
        };
        let signs = |seen: &Seen<'_>| sent_by(seen, &[Technique::TinyFragment]);
        self.packets.observe(seen, packets, signs, &rule);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.packets.heap_bytes()
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        self.packets.close(probes, found);
    }
}
