//! Events as bytes, for those who keep them.

use bytes::Bytes;
use prost::Message as _;

use crate::v1;

/// The bytes are no event, or no gap.
#[derive(Debug, thiserror::Error)]
#[error("cannot decode a message: its bytes are damaged")]
pub struct Damaged(#[from] prost::DecodeError);

/// The bytes of an event, as they cross the wire.
#[must_use]
pub fn encode(event: &v1::Event) -> Bytes {
    event.encode_to_vec().into()
}

/// How many bytes a message takes.
#[must_use]
pub fn size(message: &impl prost::Message) -> usize {
    message.encoded_len()
}

/// The bytes of an encoded event that is then said to be part of another anomaly.
///
/// A field that comes again replaces the one before ("Encoding", section "Last One Wins", of the Protocol
/// Buffers documentation), so nothing need be decoded.
#[must_use]
pub fn correlate(event: &[u8], into: &str) -> Bytes {
    let mark = v1::Event {
        correlated_into: into.into(),
        ..Default::default()
    };
    [event, &mark.encode_to_vec()].concat().into()
}

/// The event of these bytes.
///
/// # Errors
/// When they are none.
pub fn decode(bytes: &[u8]) -> Result<v1::Event, Damaged> {
    read(bytes)
}

/// Whichever message these bytes are.
///
/// # Errors
/// When they are none.
pub fn read<M: prost::Message + Default>(bytes: &[u8]) -> Result<M, Damaged> {
    Ok(M::decode(bytes)?)
}

/// The bytes of a gap, as they cross the wire.
#[must_use]
pub fn encode_gap(gap: &v1::Gap) -> Bytes {
    gap.encode_to_vec().into()
}

/// The gap of these bytes.
///
/// # Errors
/// When they are none.
pub fn decode_gap(bytes: &[u8]) -> Result<v1::Gap, Damaged> {
    read(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_changes_nothing_else() {
        let event = v1::Event {
            summary: "a scan".into(),
            samples: vec!["one".into()],
            correlated_into: "older".into(),
            ..Default::default()
        };
        let marked = decode(&correlate(&encode(&event), "newer")).unwrap();
        let expected = v1::Event {
            correlated_into: "newer".into(),
            ..event
        };
        assert_eq!(marked, expected);
    }

    #[test]
    fn an_event_survives_its_bytes_and_damage_is_told() {
        let event = v1::Event {
            summary: "a scan".into(),
            ..Default::default()
        };
        let bytes = encode(&event);
        assert_eq!(bytes.len(), size(&event));
        assert_eq!(decode(&bytes).unwrap(), event);
        let error = decode(&bytes[..bytes.len() - 1]).unwrap_err();
        assert!(error.to_string().contains("damaged"), "{error}");
    }
}
