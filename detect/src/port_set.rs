//! An exact set of ports that only grows.

use std::fmt;

const WORDS: usize = 65_536 / 64;

/// A set of ports as a bitmap of 8 KiB.
///
/// ```
/// use detect::PortSet;
/// let set: PortSet = [443, 22, 22].into_iter().collect();
/// assert_eq!(set.len(), 2);
/// assert_eq!(set.iter().collect::<Vec<_>>(), [22, 443]);
/// ```
#[derive(Clone, Eq, PartialEq)]
pub struct PortSet {
    words: Box<[u64; WORDS]>,
    len: u32,
}

impl PortSet {
    /// Adds a port; true when it is new.
    pub(crate) fn insert(&mut self, port: u16) -> bool {
        let word = &mut self.words[usize::from(port >> 6)];
        let bit = 1 << (port & 63);
        let new = *word & bit == 0;
        *word |= bit;
        self.len += u32::from(new);
        new
    }

    /// How many ports are in it.
    #[must_use]
    pub const fn len(&self) -> u32 {
        self.len
    }

    /// Whether none is.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The ports, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u16> {
        (0_u16..).zip(self.words.iter()).flat_map(|(index, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = u16::try_from(left.trailing_zeros()).ok()?;
                left = left.checked_sub(1).map_or(0, |less| left & less);
                (bit < 64).then(|| index * 64 + bit)
            })
        })
    }
}

/// How many: all of them are too many to read.
impl fmt::Debug for PortSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PortSet({})", self.len)
    }
}

impl Default for PortSet {
    fn default() -> Self {
        Self {
            words: Box::new([0; WORDS]),
            len: 0,
        }
    }
}

impl FromIterator<u16> for PortSet {
    fn from_iter<I: IntoIterator<Item = u16>>(ports: I) -> Self {
        let mut set = Self::default();
        for port in ports {
            set.insert(port);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_port_is_counted_once() {
        let mut set: PortSet = (0..=u16::MAX).collect();
        assert_eq!(set.len(), 65_536);
        assert!(!set.insert(0) && !set.insert(u16::MAX));
        assert_eq!(set.len(), 65_536);
        assert!(set.iter().eq(0..=u16::MAX));
    }

    #[test]
    fn ports_are_told_in_order() {
        let set: PortSet = [65_535, 0, 63, 64, 128].into_iter().collect();
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 63, 64, 128, 65_535]);
        assert!(PortSet::default().iter().next().is_none());
    }
}
