//! Payload samples, as the programs wrote them.

use std::ops::Deref as _;

use agent_common::{Direction, SAMPLES_BYTES, Sample, SampleKind};
use aya::maps::{MapData, RingBuf};
use detect::Time;

use super::{
    kinds,
    records::{Inbox, address},
};

/// Payloads that are sampled of one interface between two drains: half of what their ring buffer has room
/// for.
pub const SAMPLES_PER_DRAIN: u32 = SAMPLES_BYTES / size_of::<Sample>() as u32 / 2;

impl Inbox {
    /// Takes in the samples that wait, each for the drain of its slot. Bounded as records are.
    pub(super) fn receive_samples(&mut self, ring: &mut RingBuf<MapData>) {
        self.receive_samples_as(ring, |sample| sample);
    }

    /// Takes them in as if their packets had passed at `at`.
    pub(super) fn receive_samples_at(&mut self, ring: &mut RingBuf<MapData>, at: Time) {
        self.receive_samples_as(ring, |sample| Sample {
            time_ns: at.nanoseconds(),
            ..sample
        });
    }

    pub(super) fn receive_samples_as(
        &mut self,
        ring: &mut RingBuf<MapData>,
        told: impl Fn(Sample) -> Sample,
    ) {
        while let Some(item) = ring.next() {
            let sample = <&[u8; size_of::<Sample>()]>::try_from(item.deref());
            if !sample.is_ok_and(|bytes| self.keep(&told(Sample::from_bytes(bytes)))) {
                self.stray += 1;
            }
        }
    }

    fn keep(&mut self, sample: &Sample) -> bool {
        let received = self.received(sample.slot, sample.epoch);
        let (Some(received), Some(told)) = (received, read(sample)) else {
            return false;
        };
        received.samples.push(told);
        true
    }
}

fn read(sample: &Sample) -> Option<detect::Sample> {
    let kind = SampleKind::from_byte(sample.kind)?;
    Some(detect::Sample {
        at: Time::from_nanoseconds(sample.time_ns),
        kind: kinds::sample(kind),
        sent: sample.direction == Direction::FromPod as u8,
        pod: address(sample.pod),
        pod_port: sample.pod_port,
        peer: address(sample.peer),
        port: sample.port,
        payload: sample.payload.get(..usize::from(sample.length))?.to_vec(),
        payload_bytes: sample.payload_bytes,
    })
}

#[cfg(test)]
mod tests {
    use detect::Subject;

    use super::*;

    #[test]
    fn a_sample_is_kept_for_its_slot_and_epoch() {
        let mut bytes = [0; size_of::<Sample>()];
        bytes[8] = 3;
        bytes[12] = 2;
        bytes[16 + 10..32].copy_from_slice(&[0xff, 0xff, 10, 0, 0, 1]);
        bytes[54] = 4;
        bytes[56] = 200;
        bytes[64..68].copy_from_slice(b"data");
        let sample = Sample::from_bytes(&bytes);
        let mut inbox = Inbox::default();
        inbox.open(
            3,
            Subject {
                ifindex: 9,
                epoch: 2,
            },
        );
        let cases = [
            (sample, true),
            (Sample { epoch: 1, ..sample }, false),
            (Sample { slot: 4, ..sample }, false),
            (Sample { kind: 9, ..sample }, false),
            (
                Sample {
                    length: 193,
                    ..sample
                },
                false,
            ),
        ];
        for (sample, kept) in cases {
            assert_eq!(inbox.keep(&sample), kept, "{sample:?}");
        }
        let [told] = &inbox.take(3).samples[..] else {
            panic!("one was kept");
        };
        assert_eq!(told.payload, b"data");
        assert_eq!(told.payload_bytes, 200);
        assert_eq!(told.pod.to_string(), "10.0.0.1");
        assert!(told.sent);
    }
}
