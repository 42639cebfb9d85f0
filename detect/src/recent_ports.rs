//! When each port was last seen, and how many lately.

use hashbrown::HashMap;

use crate::{
    Time,
    window::{PerHorizon, Windows},
};

/// The first port that Linux hands out to clients (`net.ipv4.ip_local_port_range`): nobody chooses those
/// above.
pub(crate) const EPHEMERAL: u16 = 32_768;

const PAGE: usize = 64;
const SECOND: u64 = 1_000_000_000;

/// The ports seen within the horizons, exact; at most 400 KiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct RecentPorts {
    /// By the upper bits of the port, then by the lower ones: the second it was last seen plus one,
    /// or 0 when it never was. No window is finer than a second.
    pages: HashMap<u16, Box<[u32; PAGE]>>,
    windows: Windows,
}

impl RecentPorts {
    /// The port is seen; when it was before, if it was.
    pub(crate) fn insert(&mut self, port: u16, at: Time) -> Option<Time> {
        let page = self
            .pages
            .entry(port / PAGE as u16)
            .or_insert_with(|| Box::new([0; PAGE]));
        let last = &mut page[usize::from(port) % PAGE];
        let before = time_of(*last);
        self.windows.seen(before, at);
        *last = u32::try_from(at.nanoseconds() / SECOND + 1).unwrap_or(u32::MAX);
        before
    }

    /// Whether the port was ever seen.
    pub(crate) fn contains(&self, port: u16) -> bool {
        let page = self.pages.get(&(port / PAGE as u16));
        page.is_some_and(|page| page[usize::from(port) % PAGE] != 0)
    }

    pub(crate) fn counts(&self, now: Time) -> PerHorizon {
        self.windows.counts(now)
    }

    /// The ports last seen in the second of `start` or later, in no order.
    pub(crate) fn since(&self, start: Time) -> impl Iterator<Item = u16> {
        let second = start.nanoseconds() / SECOND;
        self.pages.iter().flat_map(move |(&number, page)| {
            let seen = page
                .iter()
                .enumerate()
                .filter(move |&(_, &last)| u64::from(last) > second);
            seen.map(move |(index, _)| number * PAGE as u16 + index as u16)
        })
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let pages = self.pages.len() * size_of::<[u32; PAGE]>();
        self.pages.allocation_size() + pages + self.windows.heap_bytes()
    }
}

fn time_of(last: u32) -> Option<Time> {
    let second = last.checked_sub(1)?;
    Some(Time::from_nanoseconds(u64::from(second) * SECOND))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_remembered_with_the_second_they_were_last_seen_in() {
        let mut ports = RecentPorts::default();
        for (port, second) in [(0, 0), (443, 5), (65_535, 10), (443, 20)] {
            ports.insert(port, Time::from_nanoseconds(second * SECOND + 1));
        }
        for (start, expected) in [
            (0, vec![0, 443, 65_535]),
            (1, vec![443, 65_535]),
            (10, vec![443, 65_535]),
            (11, vec![443]),
            (21, vec![]),
        ] {
            let mut since: Vec<u16> = ports
                .since(Time::from_nanoseconds(start * SECOND + 9))
                .collect();
            since.sort_unstable();
            assert_eq!(since, expected, "since second {start}");
        }
        assert_eq!(ports.counts(Time::from_nanoseconds(30 * SECOND)), [3, 3]);
    }

    #[test]
    fn all_ports_at_once_stay_within_the_stated_bound() {
        let mut ports = RecentPorts::default();
        for round in 0..3 {
            for port in 0..=u16::MAX {
                ports.insert(port, Time::from_nanoseconds(round * SECOND));
            }
        }
        assert_eq!(
            ports.counts(Time::from_nanoseconds(3 * SECOND)),
            [65_536, 65_536]
        );
        assert!(
            ports.heap_bytes() <= 400 << 10,
            "{} bytes",
            ports.heap_bytes()
        );
    }
}
