//! Finds floods of ICMP requests.

use crate::{
    Class, Contact, Count, Flow, Observation, Outcome, Words,
    volume::{self, Bounds, Counted, Kind, MOST, Recent, SIDES, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the ICMP flood detector.
    {
        /// ICMP requests the pod sends within a second; 1,000.
        ///
        /// A firewall of the Junos line drops beyond 1,000 ICMP packets a second (its ICMP flood screen). Linux
        /// itself sends no more than that of what it limits (net.ipv4.icmp_msgs_per_sec). A monitor that pings
        /// every host of a large cluster once a second stays below.
        sent_per_second: u64 = 1_000, 1 => MOST,
            "ICMP requests the pod sends within a second";
        /// ICMP requests the pod receives within a second; 1,000.
        ///
        /// As above.
        received_per_second: u64 = 1_000, 1 => MOST,
            "ICMP requests the pod receives within a second";
        /// Fewer within ten seconds are never unusual; 200.
        ///
        /// Twenty a second: who asks so few is a person, or a monitor.
        floor_in_10s: u64 = 200, 1 => MOST,
            "fewer within ten seconds are never unusual";
    }
}

/// Floods of ICMP requests.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Icmp;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<Icmp>;

impl Kind for Icmp {
    type Thresholds = Thresholds;

    const ID: &'static str = "icmp_flood";
    const WORDS: Words = Words {
        opened: "sees an ICMP flood of {}",
        updated: "still sees an ICMP flood of {}",
        closed: "saw the end of an ICMP flood of {}",
        samples: "such as",
    };
    const FLOWS: [Option<Flow>; SIDES] = [Some(Flow::EchoSent), Some(Flow::EchoReceived)];

    fn counted(observation: &Observation, _recent: &Recent) -> [Counted; SIDES] {
        [
            Counted::plain(observation.initiated[Class::Echo as usize]),
            Counted::plain(observation.count(Count::EchoesReceived)),
        ]
    }

    fn concerns(contact: &Contact) -> bool {
        matches!(contact.outcome, Outcome::Sent(technique) if technique.class() == Class::Echo)
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([thresholds.sent_per_second, thresholds.received_per_second])
    }
}
