//! Records in a file: length, checksum, kind, epoch, sequence, payload.

/// Before the payload.
pub(super) const HEADER_BYTES: usize = 4 + 4 + 1 + 8 + 8;
/// A longer one is no record but damage; an event has some kilobytes.
pub(super) const MOST_PAYLOAD_BYTES: usize = 256 * 1024;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub(super) enum Kind {
    Event = 1,
    /// What is in a segment that gets no more events; see `segment`.
    Seal = 2,
    /// What was let go of, on purpose or not; see `ledger`.
    Dropped = 3,
    Missing = 4,
    /// Up to where events may have been sent.
    Sent = 5,
    /// A segment that is to be removed.
    Remove = 6,
}

impl Kind {
    const ALL: [Self; 6] = [
        Self::Event,
        Self::Seal,
        Self::Dropped,
        Self::Missing,
        Self::Sent,
        Self::Remove,
    ];
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Record<'a> {
    pub(super) kind: Kind,
    pub(super) epoch: u64,
    pub(super) sequence: u64,
    pub(super) payload: &'a [u8],
}

/// What some bytes begin with.
#[derive(Debug, Eq, PartialEq)]
pub(super) enum Parsed<'a> {
    /// A record, and how many bytes it takes.
    Record(Record<'a>, usize),
    /// Something that is damaged and as long as it says, so that the next record can be found.
    Damaged(usize),
    /// Something of a length that no record has.
    Absurd,
    /// Part of a record at most.
    Incomplete,
}

impl Record<'_> {
    /// Bytes that a record with a payload of `payload` bytes takes.
    pub(super) const fn bytes(payload: usize) -> usize {
        HEADER_BYTES + payload
    }

    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let length = u32::try_from(self.payload.len()).unwrap_or(u32::MAX);
        let mut header = [0; HEADER_BYTES];
        header[..4].copy_from_slice(&length.to_le_bytes());
        header[8] = self.kind as u8;
        header[9..17].copy_from_slice(&self.epoch.to_le_bytes());
        header[17..].copy_from_slice(&self.sequence.to_le_bytes());
        let checksum = checksum(&header, self.payload);
        header[4..8].copy_from_slice(&checksum.to_le_bytes());
        to.extend_from_slice(&header);
        to.extend_from_slice(self.payload);
    }
}

pub(super) fn parse(bytes: &[u8]) -> Parsed<'_> {
    let Some((header, rest)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Parsed::Incomplete;
    };
    let [a, b, c, d, e, f, g, h, kind, ..] = *header;
    let length = u32::from_le_bytes([a, b, c, d]) as usize;
    if length == 0 || length > MOST_PAYLOAD_BYTES {
        return Parsed::Absurd;
    }
    let Some(payload) = rest.get(..length) else {
        return Parsed::Incomplete;
    };
    let bytes = Record::bytes(length);
    let kind = Kind::ALL.into_iter().find(|known| *known as u8 == kind);
    match kind {
        Some(kind) if checksum(header, payload) == u32::from_le_bytes([e, f, g, h]) => {
            let record = Record {
                kind,
                epoch: number(&header[9..17]),
                sequence: number(&header[17..]),
                payload,
            };
            Parsed::Record(record, bytes)
        }
        _ => Parsed::Damaged(bytes),
    }
}

/// Of all but itself.
fn checksum(header: &[u8; HEADER_BYTES], payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&header[..4]);
    hasher.update(&header[8..]);
    hasher.update(payload);
    hasher.finalize()
}

/// Little-endian; of as many bytes as there are.
pub(super) fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_survives_its_bytes_and_no_changed_bit_passes() {
        let record = Record {
            kind: Kind::Event,
            epoch: 7,
            sequence: u64::MAX,
            payload: b"an event",
        };
        let mut bytes = Vec::new();
        record.write(&mut bytes);
        assert_eq!(parse(&bytes), Parsed::Record(record, bytes.len()));
        for length in 0..bytes.len() {
            assert_eq!(parse(&bytes[..length]), Parsed::Incomplete);
        }
        for bit in 0..bytes.len() * 8 {
            let mut changed = bytes.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let parsed = parse(&changed);
            assert!(
                !matches!(parsed, Parsed::Record(..)),
                "bit {bit}: {parsed:?}"
            );
        }
        assert_eq!(parse(&[0; 64]), Parsed::Absurd, "a hole in a file");
        assert_eq!(parse(&[0xff; 64]), Parsed::Absurd);
    }
}
