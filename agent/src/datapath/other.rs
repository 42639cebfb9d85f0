//! What an agent of another layout, or with another number of slots, has left: it becomes ours, and goes.

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use agent_common::{BUCKETS_MAP, Bucket, Record, SAMPLES_MAP, SETTINGS_MAP, SLOTS_MAP, Sample};
use aya::maps::{Map, MapData, MapError, RingBuf};
use detect::Subject;
use rustix::thread::{MembarrierCommand, membarrier};
use tracing::{debug, warn};

use super::{
    former::Former,
    layout::Layout,
    link::Links,
    mapped::{Mapped, MappedError},
    pins::Part,
    pour::Pour,
    records::Inbox,
    ring::Ring,
    slots::{self, Slots},
};
use crate::whose::Whose;

/// Of no slot.
const NOWHERE: u32 = u32::MAX;

/// Why what is left cannot be taken over.
#[derive(Debug, thiserror::Error)]
pub(super) enum OtherError {
    /// It does not say how it is laid out.
    #[error("cannot read the layout of what is pinned in {}: {source}", directory.display())]
    Layout {
        directory: PathBuf,
        source: io::Error,
    },
    /// Nobody can tell whose slot is whose.
    #[error("what is pinned in {} keeps otherwise which slot is whose", directory.display())]
    Strange { directory: PathBuf },
    /// A map is not there.
    #[error(transparent)]
    Mapped(#[from] MappedError),
    /// A ring buffer is not there.
    #[error("cannot use the samples that are pinned: {0}")]
    Samples(#[source] Box<MapError>),
}

/// The maps of another agent.
pub(super) struct Other {
    directory: PathBuf,
    layout: Layout,
    slots: Mapped<AtomicU64>,
    buckets: Mapped<Bucket>,
    /// What its programs hash with, if they hash as ours do.
    pub(super) seed: Option<u64>,
    rings: Option<(Ring, RingBuf<MapData>)>,
    pour: Pour,
    /// Which of its slots became which of ours.
    moved: BTreeMap<u32, (u32, Subject)>,
}

impl fmt::Debug for Other {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Other")
            .field("directory", &self.directory)
            .finish_non_exhaustive()
    }
}

impl Other {
    pub(super) fn open(directory: PathBuf) -> Result<Self, OtherError> {
        let own = Layout::own();
        let layout = Layout::read(&directory).map_err(|source| OtherError::Layout {
            directory: directory.clone(),
            source,
        })?;
        if layout.buckets != own.buckets || layout.field("epoch").is_none_or(|it| it.is_empty()) {
            return Err(OtherError::Strange { directory });
        }
        let maps = directory.join(Part::Maps.name());
        let settings = Mapped::<AtomicU64>::pinned(&maps.join(SETTINGS_MAP), SETTINGS_MAP)?;
        let seed = settings.elements().get(layout.seed);
        let seed = seed.map(|seed| seed.load(Relaxed));
        let rings = (layout.rings == own.rings)
            .then(|| rings(&maps))
            .transpose()?;
        Ok(Self {
            slots: Mapped::pinned(&maps.join(SLOTS_MAP), SLOTS_MAP)?,
            buckets: Mapped::pinned(&maps.join(BUCKETS_MAP), BUCKETS_MAP)?,
            seed: seed.filter(|seed| *seed != 0 && layout.hashes == own.hashes),
            rings,
            pour: Pour::between(&layout, &own, false),
            layout,
            directory,
            moved: BTreeMap::new(),
        })
    }

    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Gives every interface that it watches a slot of ours, and then lets `adopt` replace its programs, so that each
    /// packet is counted in one of the two.
    pub(super) fn take(
        &mut self,
        slots: &mut Slots,
        seed: u64,
        mut adopt: impl FnMut(u32, Whose) -> Option<Links>,
    ) -> Vec<Former> {
        let own = Layout::own();
        self.pour = Pour::between(&self.layout, &own, self.seed == Some(seed));
        let strange = own.strange(&self.layout);
        if !strange.is_empty() {
            warn!(
                ?strange,
                "an agent of another version kept what this one does not know; that is lost"
            );
        }
        let subjects: Vec<_> = self.subjects().collect();
        let newest = subjects.iter().map(|(_, subject)| subject.epoch).max();
        slots.begin_after(newest.unwrap_or_default());
        let mut former = Vec::new();
        for (from, subject) in subjects {
            let there = slots.assigned().find(|(_, it)| *it == subject);
            let (is_new, to) = match there {
                Some((to, _)) => (false, Ok(to)),
                None => {
                    let prepare =
                        |slots: &Slots, to| self.pour.prepare(self.words(from), slots.words(to));
                    (true, slots.assign_to(subject, prepare))
                }
            };
            let to = match to {
                Ok(to) => to,
                Err(error) => {
                    let ifindex = subject.ifindex;
                    warn!(ifindex, %error, "what an agent before this one counted there is lost");
                    continue;
                }
            };
            self.moved.insert(from, (to, subject));
            let whose = slots.whose(to);
            let links = adopt(subject.ifindex, whose);
            // One that was interrupted here before has done the rest.
            if is_new || links.is_some() {
                former.push(Former {
                    subject,
                    slot: to,
                    whose,
                    links,
                });
            }
            for way in slots::ways(self.buckets.elements(), subject.ifindex) {
                if way.load(Relaxed) == Bucket::way(subject.ifindex, from) {
                    way.store(0, Release);
                }
            }
        }
        former
    }

    /// Takes what its programs have counted up to now, and told.
    pub(super) fn pour(&mut self, slots: &Slots, inbox: &mut Inbox) {
        // Returns once no CPU runs a program any more that was replaced before; where the kernel cannot tell, what
        // such a one still counts is taken the next time.
        if let Err(error) = membarrier(MembarrierCommand::Global) {
            debug!(%error, "cannot wait for the programs that were replaced");
        }
        for (&from, &(to, subject)) in &self.moved {
            if slots.assigned().any(|it| it == (to, subject)) {
                self.pour.take(self.words(from), slots.words(to));
            }
        }
        let moved = &self.moved;
        let place = |from| moved.get(&from).map_or(NOWHERE, |(to, _)| *to);
        if let Some((ring, samples)) = &mut self.rings {
            inbox.receive_as(ring, |record| Record {
                slot: place(record.slot),
                ..record
            });
            inbox.receive_samples_as(samples, |sample| Sample {
                slot: place(sample.slot),
                ..sample
            });
        }
    }

    fn subjects(&self) -> impl Iterator<Item = (u32, Subject)> {
        let epoch = self.layout.field("epoch").unwrap_or_default();
        let taken = slots::taken(self.buckets.elements());
        taken.filter_map(move |(ifindex, index)| {
            let epoch = self.words(index).get(epoch.start)?.load(Relaxed) as u32;
            Some((index, Subject { ifindex, epoch }))
        })
    }

    /// Nothing of a slot that there is not.
    fn words(&self, index: u32) -> &[AtomicU64] {
        let start = index as usize * self.layout.slot;
        let words = self.slots.words().get(start..start + self.layout.slot);
        words.unwrap_or_default()
    }
}

fn rings(maps: &Path) -> Result<(Ring, RingBuf<MapData>), OtherError> {
    let samples = MapData::from_pin(maps.join(SAMPLES_MAP));
    let samples = samples.and_then(|data| RingBuf::try_from(Map::RingBuf(data)));
    let samples = samples.map_err(|error| OtherError::Samples(Box::new(error)))?;
    Ok((Ring::pinned(maps)?, samples))
}
