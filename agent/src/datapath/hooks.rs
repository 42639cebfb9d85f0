//! Whose programs run at an interface beside ours, and in which order.

use std::io;

use agent_common::Direction;
use rustix::net::{AddressFamily, SocketType, netdevice};

use super::{
    Datapath, chain, device, filters, kernel,
    pins::{self, Part, Pin},
    side::{DIRECTIONS, SIDES, Side},
    takeover::program_ids,
};
use crate::whose::Whose;

/// The ids of our programs, for who looks at interfaces on another thread.
#[derive(Clone, Copy, Debug)]
pub struct Hooks {
    own: [u32; Direction::COUNT],
}

/// What runs at one interface in one direction.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Hook {
    /// Ids of programs before ours, first to last.
    pub before: Vec<u32>,
    /// Whether ours is there.
    pub attached: bool,
    /// Ids of programs after ours; of all, when ours is not there.
    pub after: Vec<u32>,
}

impl Datapath {
    /// What tells our programs from those of others.
    #[must_use]
    pub fn hooks(&self) -> Hooks {
        let mut own = [0; Direction::COUNT];
        for direction in DIRECTIONS {
            own[direction as usize] = self.programs.id(direction);
        }
        Hooks { own }
    }
}

impl Hooks {
    /// What runs at the interface of this name, for each direction: a tcx chain first, then the filters of clsact.
    ///
    /// # Errors
    /// When the kernel does not tell.
    pub fn of(&self, interface: &str, whose: Whose) -> io::Result<[Hook; Direction::COUNT]> {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
        let ifindex = netdevice::name_to_index(socket, interface)?;
        let mut hooks = [Hook::default(), Hook::default()];
        for direction in DIRECTIONS {
            let ids = programs(ifindex, Side::of(direction, whose))?;
            hooks[direction as usize] = hook(&ids, self.own[direction as usize]);
        }
        Ok(hooks)
    }
}

/// The interfaces of this network namespace with programs that no agent has pinned, and their ids.
///
/// # Errors
/// When the kernel does not tell.
pub fn strangers(pin: &Pin) -> io::Result<Vec<(String, Vec<u32>)>> {
    let versions = match pin {
        Pin::Nowhere => Vec::new(),
        Pin::IfPossible(root) | Pin::At(root) => pins::versions(root),
    };
    let pinned = versions
        .iter()
        .flat_map(|it| pins::entries(&it.join(Part::Programs.name())));
    let own = program_ids(&pinned.collect::<Vec<_>>());
    let mut found = Vec::new();
    for ifindex in filters::interfaces()? {
        let mut strangers = Vec::new();
        for side in SIDES {
            strangers.extend(programs(ifindex, side)?);
        }
        strangers.retain(|id| !own.contains(id));
        if !strangers.is_empty() {
            found.push((device::name_of(ifindex)?, strangers));
        }
    }
    Ok(found)
}

/// The ids of the programs there, first to last.
fn programs(ifindex: u32, side: Side) -> io::Result<Vec<u32>> {
    let mut ids = if kernel::has_tcx() {
        chain::programs(ifindex, side)?
    } else {
        Vec::new()
    };
    let filters = filters::of(ifindex, side)?;
    ids.extend(filters.iter().map(|filter| filter.program));
    Ok(ids)
}

fn hook(ids: &[u32], own: u32) -> Hook {
    match ids.iter().position(|id| *id == own) {
        Some(index) => Hook {
            before: ids[..index].to_vec(),
            attached: true,
            after: ids[index + 1..].to_vec(),
        },
        None => Hook {
            after: ids.to_vec(),
            ..Hook::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_of_others_are_told_by_their_place() {
        for (ids, before, attached, after) in [
            (&[7][..], &[][..], true, &[][..]),
            (&[3, 7, 9], &[3], true, &[9]),
            (&[3], &[], false, &[3]),
            (&[], &[], false, &[]),
        ] {
            let expected = Hook {
                before: before.to_vec(),
                attached,
                after: after.to_vec(),
            };
            assert_eq!(hook(ids, 7), expected, "{ids:?}");
        }
    }
}
