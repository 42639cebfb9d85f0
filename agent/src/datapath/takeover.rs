//! Takes over what a former agent of the same layout has left, so that nothing is counted twice or lost.

use std::{
    fs, io,
    mem::offset_of,
    path::{Path, PathBuf},
    sync::atomic::Ordering::{AcqRel, Relaxed},
};

use agent_common::{Direction, SETTINGS_MAP, Settings, Slot};
use aya::{
    maps::{Array, Map, MapData},
    programs::{
        ProgramInfo,
        links::{FdLink, PinnedLink},
        tc::SchedClassifierLink,
    },
};
use tracing::{info, warn};

use super::{
    attach::Attacher,
    attachment::{Attachment, Ways},
    chain, filters,
    former::Former,
    link::{Link, Links},
    other::Other,
    pins::{self, PINNED_MAPS, Part, Pins, PinsError},
    side::{DIRECTIONS, Side},
    slots::Slots,
};
use crate::whose::Whose;

/// The seed that the former agent's programs hash with. When there is none, what is pinned is of no
/// use and removed.
pub(super) fn former_seed(pins: &Pins) -> Result<Option<u64>, PinsError> {
    let complete = PINNED_MAPS.iter().all(|name| pins.map(name).exists());
    let seed = Some(pins.map(SETTINGS_MAP))
        .filter(|_| complete)
        .and_then(|path| read_seed(&path))
        .filter(|seed| *seed != 0);
    if seed.is_none() {
        for part in [Part::Links, Part::Maps] {
            for path in pins.of(part) {
                pins::remove(&path)?;
            }
        }
    }
    Ok(seed)
}

fn read_seed(path: &Path) -> Option<u64> {
    const WORDS: usize = size_of::<Settings>() / 8;
    let map = MapData::from_pin(path).ok()?;
    let settings = Array::<MapData, [u64; WORDS]>::try_from(Map::Array(map)).ok()?;
    let words = settings.get(&0, 0).ok()?;
    Some(words[offset_of!(Settings, seed) / 8])
}

/// The ids of the programs pinned below a layout's directory.
pub(super) fn program_ids(programs: &[PathBuf]) -> Vec<u32> {
    let infos = programs
        .iter()
        .filter_map(|path| ProgramInfo::from_pin(path).ok());
    infos.map(|info| info.id()).collect()
}

/// Replaces the former agent's programs by ours at every interface that is still there, so that no
/// packet passes by, and removes what else there is of it.
pub(super) fn take_over(
    attacher: &mut Attacher<'_>,
    ways: &Ways,
    pins: &Pins,
    slots: &Slots,
) -> Vec<Former> {
    let programs = pins.of(Part::Programs);
    let former_ids = program_ids(&programs);
    // Ours are pinned first: a filter whose program is pinned nowhere is one that nobody removes.
    for direction in DIRECTIONS {
        if let Err(error) = attacher.programs.pin(direction, pins) {
            warn!(%error, "a program is not pinned: filters that run it cannot be found again");
        }
    }
    let mut adoption = Adoption {
        attacher,
        ways,
        pins,
        from: pins.directory(),
        former_ids: &former_ids,
    };
    let former: Vec<_> = slots
        .assigned()
        .map(|(slot, subject)| {
            let whose = slots.whose(slot);
            Former {
                subject,
                slot,
                whose,
                links: adoption.adopt(subject.ifindex, whose),
            }
        })
        .collect();
    sweep(pins, &former, &former_ids);
    for path in programs {
        removed(pins::remove(&path));
    }
    if !former.is_empty() {
        let alive = former.iter().filter(|it| it.links.is_some()).count();
        info!(slots = former.len(), alive, "took over from a former agent");
    }
    former
}

/// The same of an agent of another layout, whose slots become ours.
pub(super) fn take_over_other(
    attacher: &mut Attacher<'_>,
    ways: &Ways,
    pins: &Pins,
    slots: &mut Slots,
    other: &mut Other,
) -> Vec<Former> {
    let programs = pins::entries(&other.directory().join(Part::Programs.name()));
    let former_ids = program_ids(&programs);
    let from = other.directory().to_owned();
    let mut adoption = Adoption {
        attacher,
        ways,
        pins,
        from: &from,
        former_ids: &former_ids,
    };
    let seed = adoption.attacher.programs.seed;
    let moved = other.take(slots, seed, |ifindex, whose| adoption.adopt(ifindex, whose));
    let alive = moved.iter().filter(|it| it.links.is_some()).count();
    info!(slots = moved.len(), alive, from = %from.display(), "took over from an agent of another layout");
    moved
}

struct Adoption<'a, 'b> {
    attacher: &'a mut Attacher<'b>,
    ways: &'a Ways,
    pins: &'a Pins,
    /// Where the former links are.
    from: &'a Path,
    former_ids: &'a [u32],
}

impl Adoption<'_, '_> {
    fn adopt(&mut self, ifindex: u32, whose: Whose) -> Option<Links> {
        let mut links = Links::default();
        for direction in DIRECTIONS {
            let side = Side::of(direction, whose);
            let link = match self.ways.preferred() {
                Attachment::Tcx if self.ways.may_mix() => self
                    .adopt_link(ifindex, direction, side)
                    .or_else(|_| self.adopt_filter(ifindex, direction, side)),
                Attachment::Tcx => self.adopt_link(ifindex, direction, side),
                Attachment::Clsact => self.adopt_filter(ifindex, direction, side),
            };
            match link {
                Ok(link) => links.put(direction, link),
                Err(error) => {
                    tracing::debug!(ifindex, %error, "a former interface is gone");
                    links.detach();
                    return None;
                }
            }
        }
        Some(links)
    }

    /// A link whose device is gone cannot be updated; one of another network namespace can, but does
    /// not show in this one's chain.
    fn adopt_link(&mut self, ifindex: u32, direction: Direction, side: Side) -> io::Result<Link> {
        let former = pins::link(self.from, ifindex, direction);
        let path = self.pins.link(ifindex, direction);
        let link = FdLink::from(PinnedLink::from_pin(&former).map_err(io::Error::other)?);
        let link = link.try_into().map_err(io::Error::other)?;
        let (link, id) = self.update(link, direction)?;
        if !chain::programs(ifindex, side)?.contains(&id) {
            return Err(io::ErrorKind::NotFound.into());
        }
        // Its pin keeps the link, under a descriptor of its own.
        drop(link);
        if former != path {
            pins::remove(&path).map_err(io::Error::other)?;
            fs::rename(&former, &path)?;
        }
        Ok(Link::Pinned {
            _link: PinnedLink::from_pin(&path).map_err(io::Error::other)?,
            path,
        })
    }

    /// Lets a link run our program instead of the former one, whose place it takes; and our program's id.
    fn update(
        &mut self,
        link: SchedClassifierLink,
        direction: Direction,
    ) -> io::Result<(SchedClassifierLink, u32)> {
        let id = self.attacher.programs.id(direction);
        let program = self
            .attacher
            .programs
            .program(direction)
            .map_err(io::Error::other)?;
        let link = program
            .attach_to_link(link)
            .and_then(|id| program.take_link(id))
            .map_err(io::Error::other)?;
        Ok((link, id))
    }

    fn adopt_filter(&mut self, ifindex: u32, direction: Direction, side: Side) -> io::Result<Link> {
        let filters = filters::of(ifindex, side)?;
        let filter = filters
            .into_iter()
            .find(|filter| self.former_ids.contains(&filter.program))
            .ok_or(io::ErrorKind::NotFound)?;
        let link = filter.link(ifindex, side)?;
        let (link, id) = self.update(link, direction)?;
        Link::filter(link, id, ifindex, side, true).map_err(io::Error::other)
    }
}

/// Removes the links of interfaces that are gone, and all that is attached in the other way.
fn sweep(pins: &Pins, former: &[Former], former_ids: &[u32]) {
    let kept: Vec<_> = former
        .iter()
        .filter_map(|it| it.links.as_ref())
        .flat_map(Links::pins)
        .collect();
    for path in pins.of(Part::Links) {
        if !kept.contains(&path.as_path()) {
            removed(pins::remove(&path));
        }
    }
    if let Err(error) = filters::remove_all(former_ids) {
        warn!(%error, "filters of a former agent are left; `picket-agent detach` tries again");
    }
}

fn removed(result: Result<(), PinsError>) {
    if let Err(error) = result {
        warn!(%error, "a pin of a former agent is left; `picket-agent detach` tries again");
    }
}

/// Makes a slot that a former agent has drained tell again what is known of the pod: the detectors of
/// this one know nothing yet.
pub(super) fn replay(slot: &Slot) {
    let ports = [&slot.tcp, &slot.udp].into_iter();
    let ports = ports.flat_map(|it| it.fresh.words.iter().zip(&it.window.words));
    let protocols = slot.protocols.fresh.iter().zip(&slot.protocols.window);
    for (fresh, window) in ports.chain(protocols) {
        fresh.fetch_or(window.load(Relaxed), AcqRel);
    }
    for entry in &slot.contacts {
        entry.store(0, Relaxed);
    }
}
