//! Finds floods of datagrams that nobody wants.

use crate::{
    Class, Contact, Count, Flow, Observation, Outcome, VolumeClass, Words,
    volume::{self, Bounds, Counted, Kind, MOST, Recent, SIDES, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the UDP flood detector.
    {
        /// Datagrams that nobody wants the pod sends within a second; 2,000.
        ///
        /// A firewall of the Junos line drops datagrams to one destination beyond 1,000 a second (its UDP flood
        /// screen), whatever comes of them; twice that leaves room for logs and metrics, which nobody answers
        /// either. What a closed port refused does not count: the sender may not know yet, as a client of
        /// statsd does not. An answer that the pod itself refuses does: no program waits for it, so none sent
        /// what it answers.
        sent_per_second: u64 = 2_000, 1 => MOST,
            "datagrams that nobody wants the pod sends within a second";
        /// Datagrams that nobody wants the pod receives within a second; 10,000.
        ///
        /// Nobody answers logs, metrics and flow records, and a collector of them takes some thousands a
        /// second.
        received_per_second: u64 = 10_000, 1 => MOST,
            "datagrams that nobody wants the pod receives within a second";
        /// Fewer within ten seconds are never unusual; 2,000.
        ///
        /// A tenth of the ceiling for as long: what sends less is no load to anybody.
        floor_in_10s: u64 = 2_000, 1 => MOST,
            "fewer within ten seconds are never unusual";
    }
}

/// UDP floods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Udp;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<Udp>;

impl Kind for Udp {
    type Thresholds = Thresholds;

    const ID: &'static str = "udp_flood";
    const WORDS: Words = Words {
        opened: "sees a UDP flood of {}",
        updated: "still sees a UDP flood of {}",
        closed: "saw the end of a UDP flood of {}",
        samples: "such as",
    };
    const FLOWS: [Option<Flow>; SIDES] = [Some(Flow::UdpSent), Some(Flow::UdpReceived)];
    /// No Linux host refuses more within a second (net.ipv4.icmp_msgs_per_sec): who sends more to a closed
    /// port is not told of each, and is no client that lost its server.
    const REFUSALS_PER_SECOND: u64 = 1000;

    fn counted(observation: &Observation, _recent: &Recent) -> [Counted; SIDES] {
        let count = |count| observation.count(count);
        let refused_answers = count(Count::Refusing).saturating_sub(count(Count::Probes));
        let received = |class: VolumeClass| observation.received[class as usize].packets;
        [
            Counted {
                seen: observation.initiated[Class::Udp as usize]
                    + refused_answers.min(count(Count::Replies)),
                // Refusals are counted over all transports: those of datagrams are ICMP.
                refused: count(Count::Refused).min(received(VolumeClass::Icmp)),
                ..Counted::default()
            },
            // Probes are counted over all transports: those that were accepted were none of UDP.
            Counted {
                seen: count(Count::Probes).min(received(VolumeClass::Udp)),
                excused: count(Count::Replies) + count(Count::Accepted),
                ..Counted::default()
            },
        ]
    }

    fn concerns(contact: &Contact) -> bool {
        matches!(contact.outcome, Outcome::Sent(technique) if technique.class() == Class::Udp)
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([thresholds.sent_per_second, thresholds.received_per_second])
    }
}
