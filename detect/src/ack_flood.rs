//! Finds floods of segments that belong to no connection.

use crate::{
    Class, Contact, Count, Flow, Observation, Outcome, Words,
    volume::{self, Bounds, Counted, Kind, MOST, Recent, SIDES, volume_thresholds},
};

volume_thresholds! {
    /// Thresholds of the ACK flood detector.
    {
        /// Segments of no connection the pod sends within a second; 1,000.
        ///
        /// No client sends one but by mistake: a host that was restarted, a middlebox that forgot. They come
        /// one for each connection that is left, so a thousand a second are of thousands of connections at
        /// once.
        sent_per_second: u64 = 1_000, 1 => MOST,
            "segments of no connection the pod sends within a second";
        /// Segments of no connection the pod receives within a second; 1,000.
        ///
        /// As above. What the pod receives is told by its resets: whoever gets a segment of no connection sends
        /// one (RFC 9293, 3.10.7.1). This also finds the answers to a flood that was sent in the name of the
        /// pod.
        received_per_second: u64 = 1_000, 1 => MOST,
            "segments of no connection the pod receives within a second";
        /// Fewer within ten seconds are never unusual; 200.
        ///
        /// Twenty a second: a load balancer that forgot its connections may cause as many.
        floor_in_10s: u64 = 200, 1 => MOST,
            "fewer within ten seconds are never unusual";
    }
}

/// ACK floods.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ack;

/// What is known of a pod.
pub(crate) type Pod = volume::Pod<Ack>;

impl Kind for Ack {
    type Thresholds = Thresholds;

    const ID: &'static str = "ack_flood";
    const WORDS: Words = Words {
        opened: "sees an ACK flood of {}",
        updated: "still sees an ACK flood of {}",
        closed: "saw the end of an ACK flood of {}",
        samples: "such as",
    };
    const FLOWS: [Option<Flow>; SIDES] = [Some(Flow::AckSent), Some(Flow::AckReceived)];

    fn counted(observation: &Observation, _recent: &Recent) -> [Counted; SIDES] {
        let count = |count| observation.count(count);
        [
            Counted::plain(observation.initiated[Class::StrayAck as usize]),
            // A reset also refuses a probe, or the answer to a SYN that the pod's kernel did not send.
            Counted {
                seen: count(Count::ResetsSent),
                excused: count(Count::Refusing) + observation.initiated[Class::Syn as usize],
                ..Counted::default()
            },
        ]
    }

    fn concerns(contact: &Contact) -> bool {
        matches!(contact.outcome, Outcome::Sent(technique) if technique.class() == Class::StrayAck)
    }

    fn bounds(thresholds: &Thresholds) -> Bounds {
        thresholds.bounds([thresholds.sent_per_second, thresholds.received_per_second])
    }
}
