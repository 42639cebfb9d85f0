//! Events through a pipe between two programs of one version: each behind its length.

use std::io::{self, Read, Write};

use crate::{encoding, v1};

/// Longer than any event.
const LONGEST: u32 = 16 << 20;

/// Writes an event.
///
/// # Errors
/// When the pipe cannot be written to.
pub fn write(event: &v1::Event, pipe: &mut impl Write) -> io::Result<()> {
    let bytes = encoding::encode(event);
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    pipe.write_all(&length.to_be_bytes())?;
    pipe.write_all(&bytes)
}

/// Reads the next event; none when the writer has left.
///
/// # Errors
/// When the pipe cannot be read, or what is in it is no event.
pub fn read(pipe: &mut impl Read) -> io::Result<Option<v1::Event>> {
    let mut length = Vec::new();
    pipe.take(4).read_to_end(&mut length)?;
    let length = match <[u8; 4]>::try_from(length) {
        Ok(length) => u32::from_be_bytes(length),
        Err(rest) if rest.is_empty() => return Ok(None),
        Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    if length > LONGEST {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "no event is that long",
        ));
    }
    let mut bytes = Vec::new();
    pipe.take(length.into()).read_to_end(&mut bytes)?;
    if bytes.len() < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let event = encoding::decode(&bytes);
    event
        .map(Some)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(summary: &str) -> v1::Event {
        v1::Event {
            summary: summary.into(),
            ..Default::default()
        }
    }

    #[test]
    fn events_come_out_one_by_one_and_damage_is_told() {
        let mut pipe = Vec::new();
        for summary in ["one", "two"] {
            write(&event(summary), &mut pipe).unwrap();
        }
        let mut rest = &pipe[..];
        assert_eq!(read(&mut rest).unwrap(), Some(event("one")));
        assert_eq!(read(&mut rest).unwrap(), Some(event("two")));
        assert_eq!(read(&mut rest).unwrap(), None);
        for damaged in [&pipe[..2], &pipe[..6], &[0xff; 9]] {
            let error = read(&mut &damaged[..]);
            assert!(error.is_err(), "{damaged:?}: {error:?}");
        }
    }
}
