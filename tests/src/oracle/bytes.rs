//! The bytes of a packet, read with their bounds.

use super::packet::Host;

/// The bytes of a packet that can be read, and how many it has.
#[derive(Clone, Copy)]
pub(super) struct Bytes<'a> {
    pub(super) there: &'a [u8],
    pub(super) length: usize,
}

impl Bytes<'_> {
    pub(super) fn part(&self, at: usize, count: usize) -> Option<&[u8]> {
        self.there.get(at..at.checked_add(count)?)
    }

    pub(super) fn half(&self, at: usize) -> Option<u16> {
        let part = self.part(at, 2)?;
        Some(u16::from_be_bytes([part[0], part[1]]))
    }

    pub(super) fn v4(&self, at: usize) -> Option<Host> {
        let word = u32::from_ne_bytes(self.part(at, 4)?.try_into().ok()?);
        Some([0, 0, 0xffff_u32.to_be(), word])
    }

    pub(super) fn v6(&self, at: usize) -> Option<Host> {
        let bytes = self.part(at, 16)?;
        let mut host = [0; 4];
        for (word, part) in host.iter_mut().zip(bytes.chunks_exact(4)) {
            *word = u32::from_ne_bytes(part.try_into().ok()?);
        }
        Some(host)
    }
}
