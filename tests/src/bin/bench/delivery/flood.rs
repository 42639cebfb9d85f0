//! Batches that cost their sender next to nothing, so that what is measured is who takes them.

use api::{encoding, v1};
use bytes::{BufMut as _, Bytes, BytesMut};
use prost::encoding::{encode_varint, encoded_len_varint};
use tonic::{
    Status,
    codec::{Codec, EncodeBuf, Encoder},
};
use tonic_prost::ProstCodec;

/// Keys of length-delimited fields: `PublishRequest.batch`, `Batch.events`, `Event.id`.
const BATCH: u8 = 2 << 3 | 2;
const EVENT: u8 = 1 << 3 | 2;
const ID: u8 = 1 << 3 | 2;
/// Keys of numbers: `Batch.after`, `EventId.sequence`.
const AFTER: u8 = 4 << 3;
const SEQUENCE: u8 = 3 << 3;

/// A batch whose events are copies of some, but for their sequences.
#[derive(Debug)]
pub(super) struct Template(Vec<Bytes>);

impl Template {
    pub(super) fn new(events: impl IntoIterator<Item = v1::Event>) -> Self {
        Self(
            events
                .into_iter()
                .map(|event| encoding::encode(&event))
                .collect(),
        )
    }

    /// How many events a batch has.
    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    /// The request for the events behind a sequence.
    ///
    /// A message that comes again is merged into the one before ("Encoding", section "Last One Wins", of the
    /// Protocol Buffers documentation), so only the sequence need be written.
    pub(super) fn request(&self, after: u64) -> Bytes {
        let mut batch = BytesMut::new();
        for (sequence, event) in (after + 1..).zip(&self.0) {
            let id_length = 1 + encoded_len_varint(sequence);
            batch.put_u8(EVENT);
            encode_varint((event.len() + 2 + id_length) as u64, &mut batch);
            batch.put_slice(event);
            batch.put_slice(&[ID, u8::try_from(id_length).unwrap_or(0), SEQUENCE]);
            encode_varint(sequence, &mut batch);
        }
        batch.put_u8(AFTER);
        encode_varint(after, &mut batch);
        let mut request = BytesMut::with_capacity(batch.len() + 8);
        request.put_u8(BATCH);
        encode_varint(batch.len() as u64, &mut request);
        request.put_slice(&batch);
        request.freeze()
    }
}

/// Requests that are encoded already.
#[derive(Debug, Default)]
pub(super) struct Encoded;

type Answers = ProstCodec<(), v1::PublishResponse>;

impl Codec for Encoded {
    type Encode = Bytes;
    type Decode = v1::PublishResponse;
    type Encoder = Self;
    type Decoder = <Answers as Codec>::Decoder;

    fn encoder(&mut self) -> Self::Encoder {
        Self
    }

    fn decoder(&mut self) -> Self::Decoder {
        Answers::default().decoder()
    }
}

impl Encoder for Encoded {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&item);
        Ok(())
    }
}
