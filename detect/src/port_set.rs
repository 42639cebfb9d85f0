//! An exact set of ports that only grows.

const WORDS: usize = 65_536 / 64;

/// A set of ports as a bitmap of 8 KiB.
#[derive(Clone, Debug)]
pub(crate) struct PortSet {
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

    pub(crate) const fn len(&self) -> u32 {
        self.len
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
    }
}
