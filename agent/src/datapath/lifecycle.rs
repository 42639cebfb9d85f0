//! The datapath from one agent to the next: what a former one left is taken over, and looked after.

use detect::{Observation, Time};
use tracing::{info, warn};

use super::{
    Datapath, Watched,
    attach::Attacher,
    drain::Tally,
    former::Former,
    kernel::monotonic,
    leftovers,
    pins::Pins,
    reconcile::{self, Repair},
    side::DIRECTIONS,
    takeover,
};
use crate::whose::Whose;

impl Datapath {
    /// Takes over what is pinned; interfaces that are still there wait for [`Datapath::watch`].
    pub(super) fn take_over(&mut self) {
        let Some(pins) = &self.pins else {
            return;
        };
        let mut attacher = Attacher {
            programs: &mut self.programs,
            pins: Some(pins),
        };
        self.former = takeover::take_over(&mut attacher, &self.ways, pins, &self.slots);
        for other in &mut self.others {
            let (ways, slots) = (&self.ways, &mut self.slots);
            let moved = takeover::take_over_other(&mut attacher, ways, pins, slots, other);
            self.former.extend(moved);
        }
        for former in &self.former {
            self.inbox.open(former.slot, former.subject);
        }
        for other in &mut self.others {
            other.pour(&self.slots, &mut self.inbox);
        }
        for former in &self.former {
            takeover::replay(self.slots.slot(former.slot));
        }
    }

    /// The interface that a former agent watched, if it is still the same.
    pub(super) fn take_former(&mut self, ifindex: u32, whose: Whose) -> Option<Watched> {
        let is_same =
            |it: &Former| it.subject.ifindex == ifindex && it.whose == whose && it.links.is_some();
        let index = self.former.iter().position(is_same)?;
        let former = self.former.swap_remove(index);
        Some(Watched {
            subject: former.subject,
            slot: former.slot,
            whose: former.whose,
            links: former.links?,
            tally: Tally::default(),
        })
    }

    /// Closes what a former agent watched as somebody else's: its links are in the way of new ones.
    pub(super) fn drop_former(&mut self, ifindex: u32) {
        let (others, dropped) = std::mem::take(&mut self.former)
            .into_iter()
            .partition(|it| it.subject.ifindex != ifindex);
        self.former = others;
        self.drain_last(dropped, monotonic());
    }

    /// What a former agent's slots still hold of interfaces that went while no agent ran.
    pub fn drain_gone(&mut self, now: Time) -> Vec<Observation> {
        let (alive, gone) = std::mem::take(&mut self.former)
            .into_iter()
            .partition(|former| former.links.is_some());
        self.former = alive;
        self.drain_last(gone, now)
    }

    /// Once all interfaces are watched that should be: what a former agent's slots hold of others. What
    /// agents of other layouts have left is removed; by now it is taken over, as far as it could be read.
    pub fn finish_takeover(&mut self, now: Time) -> Vec<Observation> {
        for mut other in std::mem::take(&mut self.others) {
            other.pour(&self.slots, &mut self.inbox);
        }
        for directory in self.pins.iter().flat_map(Pins::others) {
            match leftovers::remove_version(&directory) {
                Ok(removed) => info!(%removed, "replaced an agent of another version"),
                Err(error) => {
                    warn!(%error, "an agent of another version left something; `picket-agent detach` tries again");
                }
            }
        }
        self.ways.start();
        let former = std::mem::take(&mut self.former);
        self.drain_last(former, now)
    }

    fn drain_last(&mut self, former: Vec<Former>, now: Time) -> Vec<Observation> {
        let last = former.into_iter().map(|former| Watched {
            subject: former.subject,
            slot: former.slot,
            whose: former.whose,
            links: former.links.unwrap_or_default(),
            tally: Tally::default(),
        });
        let last: Vec<_> = last.collect();
        last.into_iter().map(|it| self.close(it, now)).collect()
    }

    /// Finds programs that others have detached, or put theirs before, and what was done about it.
    pub fn reconcile(&mut self) -> Vec<(u32, Repair)> {
        let mut attacher = Attacher {
            programs: &mut self.programs,
            pins: self.pins.as_ref(),
        };
        let preferred = self.ways.preferred();
        let mut repairs = Vec::new();
        for (&ifindex, watched) in &mut self.watched {
            let at = (ifindex, watched.whose);
            for direction in DIRECTIONS {
                let links = &mut watched.links;
                let repair = reconcile::check(&mut attacher, preferred, links, at, direction);
                repairs.extend(repair.map(|repair| (ifindex, repair)));
            }
        }
        repairs
    }
}
