//! Finds pods that send from addresses that are not theirs.
//!
//! Looks for initiating packets whose source is none of the pod's addresses, as the cluster knows them: SYNs,
//! datagrams, pings, and ARP requests in another's name. Who forges sources floods without being found
//! (RFC 2827), hides a scan among decoys (`nmap -D`), or takes another's place on a bridge. Most network plugins
//! drop such packets behind the veth by default (Calico by reverse path, Cilium by identity), so that no workload
//! comes to depend on them; a pod that routes for others where they do not needs an exception.
//!
//! Needs the addresses of the pod: where they are not known, nothing is forged. Evaded by addresses that
//! are the pod's, by link-local ones, and by ARP replies, which claim an address without asking for one.

use std::time::Duration;

use crate::{
    Anomaly, Count, Measure, Outcome, Severity, Words,
    case::Sign,
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    packets::{Packets, Rule},
    probes::Probes,
};

thresholds! {
    /// Thresholds of the detector of forged sources.
    Thresholds {
        /// Initiating packets with a source that is none of the pod's addresses, within a minute; 10.
        ///
        /// A pod that was given another address, or takes over a virtual one, sends a few before its addresses
        /// are known anew; a flood sends hundreds, and each port scanned with decoys as many as there are decoys.
        packets_per_minute: u32 = 10, 1 => 1_000_000,
            "initiating packets with a forged source";
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

    const ID: &'static str = "spoofed_source";

    const WORDS: Words = Words {
        opened: "sent from forged addresses to {}",
        updated: "still sends from forged addresses to {}",
        closed: "stopped sending from forged addresses to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let packets = seen.observation.count(Count::Spoofed);
        let rule = Rule {
            detector: Self::ID,
            attack_ids: &["T1498", "T1557"],
            severity: Severity::Medium,
            measure: Measure::ForgedSources,
            threshold: thresholds.packets_per_minute,
            holds: true,
            quiet: thresholds.quiet,
        };
        self.packets.observe(seen, packets, forged, &rule);
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.packets.heap_bytes()
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        self.packets.close(probes, found);
    }
}

fn forged(seen: &Seen<'_>) -> Vec<Sign> {
    let contacts = seen.observation.contacts.iter();
    let signs = contacts.filter(|contact| contact.spoofed).filter_map(|it| {
        let Outcome::Sent(technique) = it.outcome else {
            return None;
        };
        Some(Sign {
            at: it.at,
            passed_at: it.at,
            target: Some(it.peer),
            technique: Some(technique),
            sample: Some(format!("source {}", it.pod)),
            ..Sign::default()
        })
    });
    signs.collect()
}
