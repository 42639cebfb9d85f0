//! Finds pods that carry data in ICMP echoes.
//!
//! Looks for many requests within a minute whose frames, or those of the answers, are far larger on average than
//! those of a ping. A tunnel (ptunnel, icmpsh, hans) has to put its data somewhere, and wants to be fast; `ping`
//! sends 56 bytes, and who probes a path with large ones sends a few.
//!
//! Requests are exact, sizes are means of the sampled frames, of three at least. With large frames both ways and a
//! sample rate of 16, half of all tunnels are known after 30 requests, four in five after 48, and nearly all
//! after a hundred (the chance of three among so many, each way). Scaling does not hurt a mean. ICMP errors are in
//! it too, but without requests they are nothing.
//!
//! Evaded by small or few echoes, by the price of throughput (29 requests of 1,400 bytes a minute are 5 kbit/s),
//! by small ones between the large ones, and by replies to nobody.

use std::time::Duration;

use crate::{
    Anomaly, Class, Measure, Severity, Technique, Volume, VolumeClass, Words,
    detector::{Detector, Seen},
    limits::{DAY, SECOND, thresholds},
    packets::{Packets, Recent, Rule, sent_by},
    probes::Probes,
};

thresholds! {
    /// Thresholds of the detector of ICMP tunnels.
    Thresholds {
        /// ICMP requests within a minute; 30.
        ///
        /// `ping` sends one a second, and who tries the MTU of a path or a large ping by hand a few. A tunnel polls
        /// several times a second, or sends a segment in each.
        requests_per_minute: u32 = 30, 1 => 1_000_000,
            "large ICMP requests";
        /// Mean bytes of their frames, or of the answers'; 300.
        ///
        /// A frame of `ping` has 98 bytes, of Windows 74, of routers 114. Measured: the tunnels carry 560 to
        /// 1,250 when they carry data.
        mean_bytes: u32 = 300, 64 => 65_536,
            "mean bytes of a frame, headers included";
        /// An anomaly with nothing new for this long is closed; 5 min.
        ///
        /// Who types into a tunnel pauses for minutes.
        quiet: Duration = Duration::from_secs(300), SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// Sampled packets whose mean is believed.
const SAMPLES: u64 = 3;

/// What is known of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pod {
    requests: Packets,
    /// Packets and bytes, sent and received.
    volume: Option<Box<Recent<4>>>,
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "icmp_tunnel";

    const WORDS: Words = Words {
        opened: "sent large ICMP requests to {}",
        updated: "still sends large ICMP requests to {}",
        closed: "stopped sending large ICMP requests to {}",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        let requests = seen.observation.initiated[Class::Echo as usize];
        if requests == 0 && self.requests.is_idle() {
            return;
        }
        let rule = Rule {
            detector: Self::ID,
            attack_ids: &["T1095", "T1048"],
            severity: Severity::Medium,
            measure: Measure::LargePings,
            threshold: thresholds.requests_per_minute,
            holds: self.are_large(seen, thresholds.mean_bytes),
            quiet: thresholds.quiet,
        };
        let signs = |seen: &Seen<'_>| sent_by(seen, &[Technique::Ping]);
        self.requests.observe(seen, requests, signs, &rule);
        if self.requests.is_idle() {
            self.volume = None;
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let volume = self.volume.as_ref().map_or(0, |_| size_of::<Recent<4>>());
        self.requests.heap_bytes() + volume
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        self.requests.close(probes, found);
    }
}

impl Pod {
    /// Whether the frames of either direction have so many bytes on average over the last minute. Who downloads
    /// sends small requests and gets large answers.
    fn are_large(&mut self, seen: &Seen<'_>, mean_bytes: u32) -> bool {
        let observation = seen.observation;
        let of = |volumes: &[Volume; VolumeClass::ALL.len()]| volumes[VolumeClass::Icmp as usize];
        let (sent, received) = (of(&observation.sent), of(&observation.received));
        let volume = self.volume.get_or_insert_default();
        volume.add(
            seen.now,
            [sent.packets, sent.bytes, received.packets, received.bytes],
        );
        let [sent_packets, sent_bytes, received_packets, received_bytes] = volume.sums(seen.now);
        let enough = SAMPLES.saturating_mul(u64::from(observation.sample_rate).max(1));
        [
            (sent_packets, sent_bytes),
            (received_packets, received_bytes),
        ]
        .into_iter()
        .any(|(packets, bytes)| {
            packets >= enough && bytes >= packets.saturating_mul(mean_bytes.into())
        })
    }
}
