//! Which payloads are sampled, and what a sample tells.

use agent_common::{AWAITING_WORDS, Counter, Direction, SAMPLE_BYTES, Sample, SampleKind};

use super::{
    model::{Model, holds},
    outcome::bytes,
    packet::{Ends, Packet, Payload, Segment},
};
use crate::packet::{ACK, RST, SYN};

const DNS: u16 = 53;

impl Model {
    pub(super) fn sample_packet(&mut self, packet: &Packet, direction: Direction, frame: &[u8]) {
        match *packet {
            Packet::Udp(ends, payload) => self.sample_dns(direction, ends, payload, frame),
            Packet::Tcp(ends, segment) if has_data(segment) => {
                self.sample_first(direction, ends, segment.payload, frame);
            }
            _ => {}
        }
    }

    fn sample_first(&mut self, direction: Direction, ends: Ends, payload: Payload, frame: &[u8]) {
        let (kind, pod_port) = match direction {
            Direction::FromPod => (SampleKind::FirstSent, ends.source_port),
            Direction::ToPod => (SampleKind::FirstReceived, ends.destination_port),
        };
        if self.take_awaited(direction, pod_port) {
            self.sample((kind, direction), ends, payload, frame);
        }
    }

    fn sample_dns(&mut self, direction: Direction, ends: Ends, payload: Payload, frame: &[u8]) {
        if ends.source_port == DNS || ends.destination_port == DNS {
            self.sample((SampleKind::Dns, direction), ends, payload, frame);
        }
    }

    /// Data are awaited, each way, once somebody accepted a connection from the pod.
    pub(super) fn await_first_data(&mut self, packet: &Packet) {
        if let Packet::Tcp(ends, segment) = *packet
            && self.samples_per_drain > 0
            && segment.flags & (SYN | ACK | RST) == SYN | ACK
            && holds(&self.tcp.window, ends.source_port)
        {
            let (word, bit) = place(ends.destination_port);
            for awaiting in &mut self.awaiting {
                awaiting[word] |= bit;
            }
        }
    }

    /// Whether the first data this way on this port of the pod are yet to come; they are here now.
    fn take_awaited(&mut self, direction: Direction, pod_port: u16) -> bool {
        let (word, bit) = place(pod_port);
        let awaiting = &mut self.awaiting[direction as usize][word];
        let awaited = *awaiting & bit != 0;
        *awaiting &= !bit;
        awaited
    }

    fn sample(
        &mut self,
        (kind, direction): (SampleKind, Direction),
        ends: Ends,
        payload: Payload,
        frame: &[u8],
    ) {
        if self.samples_per_drain == 0 || payload.bytes == 0 {
            return;
        }
        let has_room = self.samples < self.samples_per_drain;
        self.samples += 1;
        if !has_room {
            self.count(Counter::SamplesDropped);
            return;
        }
        let there = frame.get(payload.at..).unwrap_or_default();
        let copied = &there[..there.len().min(payload.bytes).min(SAMPLE_BYTES)];
        let mut sample = Sample::from_bytes(&[0; 256]);
        (sample.pod, sample.pod_port) = (bytes(ends.source), ends.source_port);
        (sample.peer, sample.port) = (bytes(ends.destination), ends.destination_port);
        if direction == Direction::ToPod {
            std::mem::swap(&mut sample.pod, &mut sample.peer);
            std::mem::swap(&mut sample.pod_port, &mut sample.port);
        }
        sample.kind = kind as u8;
        sample.direction = direction as u8;
        sample.length = copied.len() as u16;
        sample.payload_bytes = payload.bytes as u32;
        sample.payload[..copied.len()].copy_from_slice(copied);
        self.sampled.push(sample);
    }
}

const fn has_data(segment: Segment) -> bool {
    segment.flags & (SYN | ACK | RST) == ACK && segment.payload.bytes > 0
}

/// Ports of a pod that are alike modulo 512 share a bit.
const fn place(pod_port: u16) -> (usize, u64) {
    let bit = pod_port as usize % (AWAITING_WORDS * 64);
    (bit / 64, 1 << (bit % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{
        super::{model::Gso, parse},
        *,
    };
    use crate::generate::Generator;

    /// Without this, kernel and oracle might agree on samples because there are none.
    #[test]
    fn generated_packets_are_sampled_often_and_in_every_way() {
        let mut model = Model::new(1, 0);
        model.samples_per_drain = u64::MAX;
        for packet in Generator::new(1).take(50_000) {
            let (frame, parsed) = (&packet.frame, parse(&packet.frame));
            match packet.direction {
                Direction::FromPod => model.packet_from_pod(&parsed, Gso::default(), frame),
                Direction::ToPod => {
                    model.packet_to_pod(&parsed, Gso::default(), frame, packet.hairpin)
                }
            };
        }
        let mut ways = BTreeMap::<_, u32>::new();
        for sample in &model.sampled {
            let copied = match u32::from(sample.length) {
                0 => "nothing",
                length if length == sample.payload_bytes => "all",
                192 => "the beginning",
                _ => "what there was",
            };
            let way = (sample.kind, sample.direction, copied);
            *ways.entry(way).or_default() += 1;
        }
        // DNS and first data each way, and every way to copy them.
        assert_eq!(ways.len(), 4 * 4, "{ways:?}");
        assert!(ways.values().all(|&count| count > 5), "{ways:?}");
    }
}
