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

    /// Takes in the ports seen since the last time, and clears those of the window that are old.
    pub(super) fn age(&mut self, ports: &Ports, seen: &[u16], now: Time) {
        self.last_seen.extend(seen.iter().map(|&port| (port, now)));
        if now.since(self.aged) < Duration::from_secs(1) {
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
/// the fresh bit first, so either it is seen here, or theirs comes after ours.
fn forget(ports: &Ports, port: u16) {
    let (word, bit) = PortSet::locate(port);
    ports.window.words[word].fetch_and(!bit, AcqRel);
    if ports.fresh.words[word].fetch_or(0, AcqRel) & bit != 0 {
        ports.window.words[word].fetch_or(bit, AcqRel);
    }
}
