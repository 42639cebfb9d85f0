//! Finds floods of SYNs: connections that are begun and left half-open.

use crate::{
    Class, Contact, Count, Flow, Observation, Outcome, Volume, VolumeClass, Words,
    volume::{self, Bounds, Counted, Kind, MOST, Recent, SIDES, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the SYN flood detector.
    {
        /// Half-open connections the pod sends within a second; 2,000.
        ///
        /// A firewall of the Junos line drops what one source sends beyond 1,024 SYNs a second in later
        /// releases, and 4,000 in earlier ones, whatever comes of them (source-threshold of its SYN flood
        /// screen). Here only those count that nothing comes of; benign captures have 240 at most, and
        /// something comes of those.
        sent_per_second: u64 = 2_000, 1 => MOST,
            "half-open connections the pod sends within a second";
        /// Half-open connections the pod receives within a second; 2,000.
        ///
        /// As above: the destination-threshold of the same screen is 2,048.
        received_per_second: u64 = 2_000, 1 => MOST,
            "half-open connections the pod receives within a second";
        /// Fewer within ten seconds are never unusual; 1,000.
        ///
        /// A client that tries again every 10 ms, as one does without any backoff, is at that with ten
        /// connections at a time.
        floor_in_10s: u64 = 1_000, 1 => MOST,
            "fewer within ten seconds are never unusual";
    }
}

/// SYN floods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syn;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<Syn>;

impl Kind for Syn {
    type Thresholds = Thresholds;

    const ID: &'static str = "syn_flood";
    const WORDS: Words = Words {
        opened: "sees a SYN flood of {}",
        updated: "still sees a SYN flood of {}",
        closed: "saw the end of a SYN flood of {}",
        samples: "such as",
    };
    const FLOWS: [Option<Flow>; SIDES] = [Some(Flow::SynSent), Some(Flow::SynReceived)];

    fn counted(observation: &Observation, recent: &Recent) -> [Counted; SIDES] {
        let of = |volumes: &[Volume; VolumeClass::ALL.len()], class: VolumeClass| {
            volumes[class as usize].packets
        };
        let (sent, received) = (&observation.sent, &observation.received);
        let syns = observation.initiated[Class::Syn as usize];
        [
            // A program that cannot connect and tries again without a pause is no flood: what is refused
            // leaves nothing half-open, which is what a SYN flood lives by (RFC 4987, section 2.1). It has
            // the operating system send its SYNs, as no flood does. And where a connection comes about, more than two segments follow its SYN
            // (Wang, Zhang and Shin, "Detecting SYN flooding attacks", 2002, count FINs against SYNs); a
            // flood's SYN is followed by a reset of the pod's own kernel at most.
            Counted {
                seen: syns,
                excused: if syns == 0 { 0 } else { scanned(observation) },
                refused: if recent.is_raw() {
                    0
                } else {
                    let refused = observation.count(Count::Refused);
                    refused.min(of(received, VolumeClass::Tcp))
                },
                all: of(sent, VolumeClass::Tcp),
            },
            // Probes are counted over all transports: those that may have been datagrams are taken off.
            Counted {
                seen: observation
                    .count(Count::Probes)
                    .min(of(received, VolumeClass::Tcp)),
                excused: observation.count(Count::Refusing) + of(received, VolumeClass::Udp),
                refused: 0,
                all: of(received, VolumeClass::Tcp),
            },
        ]
    }

    fn concerns(contact: &Contact) -> bool {
        matches!(contact.outcome, Outcome::Sent(technique) if technique.class() == Class::Syn)
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([thresholds.sent_per_second, thresholds.received_per_second])
    }
}

/// SYNs that scans explain: they send one, or a few, to each port or host, and have detectors of their own.
fn scanned(observation: &Observation) -> u64 {
    let hosts = observation.hosts.contacted.estimate();
    (observation.tcp_ports.len() as u64).max(hosts.into())
}
