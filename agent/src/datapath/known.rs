//! Which ports the programs know of a pod, and when they forget them.

use std::{collections::VecDeque, sync::atomic::Ordering::AcqRel, time::Duration};

use agent_common::{PortSet, Ports};
use detect::Time;
use hashbrown::HashMap;

/// How long a port stays known to the programs after its last packet: the detectors' shortest horizon.
const KNOWN: Duration = Duration::from_secs(60);

/// Ages the bits of a window: a port is forgotten once it was not seen for [`KNOWN`].
///
/// One entry for each port and second in which it was seen; a port that is seen again has a later one,
/// which is what counts. So a port is forgotten at most a second late.
#[derive(Debug, Default)]
pub(super) struct Known {
    last_seen: HashMap<u16, u64>,
    order: VecDeque<(u64, u16)>,
}

impl Known {
    /// Ports that are known.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.last_seen.len()).unwrap_or(u32::MAX)
    }

    /// Takes in the ports seen since the last time, and clears those of the window that are old.
    pub(super) fn age(&mut self, ports: &Ports, seen: &[u16], now: Time) {
        let second = now.nanoseconds() / 1_000_000_000;
        for &port in seen {
            if self.last_seen.insert(port, second) != Some(second) {
                self.order.push_back((second, port));
            }
        }
        while let Some(&(then, port)) = self.order.front() {
            if second.saturating_sub(then) <= KNOWN.as_secs() {
                break;
            }
            self.order.pop_front();
            if self.last_seen.get(&port) == Some(&then) {
                self.last_seen.remove(&port);
                forget(ports, port);
            }
        }
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
