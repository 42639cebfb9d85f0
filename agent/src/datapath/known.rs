//! Which ports the programs know of a pod, and when they forget them.

use std::{array, sync::atomic::Ordering::AcqRel, time::Duration};

use agent_common::{PortSet, Ports};
use detect::Time;

/// How long a port stays known to the programs after its last packet: the detectors' shortest horizon.
const KNOWN: Duration = Duration::from_secs(60);

const PAGES: usize = 64;
const PAGE: usize = 65_536 / PAGES;

/// What is kept of a port: nothing, seconds since it was last seen and one more, or that it was seen
/// since the last ageing.
const UNKNOWN: u8 = 0;
const SEEN: u8 = u8::MAX;
const OLDEST: u8 = SEEN - 1;

/// Ages the bits of a window: a port is forgotten once it was not seen for [`KNOWN`], at most two seconds
/// late.
///
/// A byte a port, in pages that are there while a port of theirs is known.
#[derive(Debug)]
pub(super) struct Known {
    pages: [Option<Box<[u8; PAGE]>>; PAGES],
    ports: u32,
    aged: Time,
}

impl Default for Known {
    fn default() -> Self {
        Self {
            pages: array::from_fn(|_| None),
            ports: 0,
            aged: Time::default(),
        }
    }
}

impl Known {
    /// Ports that are known.
    pub(super) const fn len(&self) -> u32 {
        self.ports
    }

    /// Lets the programs know a port as if it were used now.
    pub(super) fn know(&mut self, ports: &Ports, port: u16) {
        let (page, place) = locate(port);
        let page = self.pages[page].get_or_insert_with(|| Box::new([UNKNOWN; PAGE]));
        self.ports += u32::from(page[place] == UNKNOWN);
        page[place] = SEEN;
        let (word, bit) = PortSet::locate(port);
        ports.window.words[word].fetch_or(bit, AcqRel);
    }

    /// Takes in the ports seen since the last time, and clears those of the window that are old; while
    /// the pod is contained, none is: it keeps what it had when that began.
    pub(super) fn age(&mut self, ports: &Ports, seen: &[u16], contained: bool, now: Time) {
        for &port in seen {
            let (page, place) = locate(port);
            let page = self.pages[page].get_or_insert_with(|| Box::new([UNKNOWN; PAGE]));
            self.ports += u32::from(page[place] == UNKNOWN);
            page[place] = SEEN;
        }
        let seconds = now.since(self.aged).as_secs();
        if seconds == 0 {
            return;
        }
        self.aged = now;
        let seconds = seconds.min(u64::from(OLDEST)) as u8;
        for (index, page) in self.pages.iter_mut().enumerate() {
            let Some(ages) = page else { continue };
            // Without a branch, so that many are done at once; most pages have none that is old.
            let mut oldest = UNKNOWN;
            for age in ages.iter_mut() {
                *age = older(*age, seconds);
                oldest = oldest.max(*age);
            }
            if contained || !is_old(oldest) {
                continue;
            }
            for (place, age) in ages.iter_mut().enumerate() {
                if is_old(*age) {
                    forget(ports, (index * PAGE + place) as u16);
                    self.ports -= 1;
                    *age = UNKNOWN;
                }
            }
            if ages.iter().all(|&age| age == UNKNOWN) {
                *page = None;
            }
        }
    }
}

const fn locate(port: u16) -> (usize, usize) {
    (port as usize / PAGE, port as usize % PAGE)
}

fn older(age: u8, seconds: u8) -> u8 {
    let older = age.saturating_add(seconds).min(OLDEST);
    let older = if age == SEEN { 1 } else { older };
    if age == UNKNOWN { UNKNOWN } else { older }
}

const fn is_old(age: u8) -> bool {
    age as u64 > 1 + KNOWN.as_secs()
}

/// Clears a bit of the window, but not under a packet that sets it at this moment: the programs set
/// the fresh bit first, so either it is seen here, or theirs comes after ours. A bit that was not set stays
/// so, or a contained pod could open ports for itself: its attempts are fresh, too.
fn forget(ports: &Ports, port: u16) {
    let (word, bit) = PortSet::locate(port);
    let known = ports.window.words[word].fetch_and(!bit, AcqRel) & bit != 0;
    if known && ports.fresh.words[word].fetch_or(0, AcqRel) & bit != 0 {
        ports.window.words[word].fetch_or(bit, AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

    use agent_common::PORT_WORDS;

    use super::*;

    fn ports() -> Box<Ports> {
        let set = || PortSet {
            words: [const { AtomicU64::new(0) }; PORT_WORDS],
        };
        Box::new(Ports {
            fresh: set(),
            window: set(),
        })
    }

    fn at(seconds: u64) -> Time {
        Time::from_nanoseconds(seconds * 1_000_000_000)
    }

    /// Both are old. One was seen again before its bit is cleared; so was the other, but by a packet
    /// that was dropped, because the pod is contained.
    #[test]
    fn only_what_was_known_stays_known() {
        let ports = ports();
        let mut known = Known::default();
        known.age(&ports, &[1, 2, 3], false, at(1000));
        ports.window.words[0].store(1 << 1 | 1 << 3, Relaxed);
        ports.fresh.words[0].store(1 << 1 | 1 << 2, Relaxed);
        known.age(&ports, &[], false, at(1061));
        assert_eq!(known.len(), 0);
        assert_eq!(ports.window.words[0].load(Relaxed), 1 << 1);
    }

    #[test]
    fn a_contained_pod_keeps_what_it_had() {
        let ports = ports();
        let mut known = Known::default();
        known.age(&ports, &[7], false, at(1000));
        ports.window.words[0].store(1 << 7, Relaxed);
        for (seconds, contained, kept) in [
            (1060, false, true),
            (1200, true, true),
            (1201, false, false),
        ] {
            known.age(&ports, &[], contained, at(seconds));
            let word = ports.window.words[0].load(Relaxed);
            assert_eq!(word == 1 << 7, kept, "at {seconds} s");
        }
    }
}
