//! Which ports the programs know of a pod, and when they forget them.

use std::{sync::atomic::Ordering::AcqRel, time::Duration};

use agent_common::{PortSet, Ports};
use detect::Time;
use hashbrown::HashMap;

/// How long a port stays known to the programs after its last packet: the detectors' shortest horizon.
const KNOWN: Duration = Duration::from_secs(60);

/// Ages the bits of a window: a port is forgotten once it was not seen for [`KNOWN`], at most a second
/// late.
#[derive(Debug, Default)]
pub(super) struct Known {
    last_seen: HashMap<u16, Time>,
    aged: Time,
}

impl Known {
    /// Ports that are known.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.last_seen.len()).unwrap_or(u32::MAX)
    }

    /// Takes in the ports seen since the last time, and clears those of the window that are old; while
    /// the pod is contained, none is: it keeps what it had when that began.
    pub(super) fn age(&mut self, ports: &Ports, seen: &[u16], contained: bool, now: Time) {
        self.last_seen.extend(seen.iter().map(|&port| (port, now)));
        if contained || now.since(self.aged) < Duration::from_secs(1) {
            return;
        }
        self.aged = now;
        self.last_seen.retain(|&port, &mut then| {
            let known = now.since(then) <= KNOWN;
            if !known {
                forget(ports, port);
            }
            known
        });
    }
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
