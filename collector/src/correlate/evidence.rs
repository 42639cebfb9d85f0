//! Who was seen to scan what, of late, in bounded memory.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use super::{
    settings::{LONGEST, SOURCES},
    sighting::{Sighting, Source},
    time::Time,
};

/// Pieces that are kept, of all groups together. Each takes about 300 bytes, and what its source and what it
/// tried take: 48 MB in all at most.
pub(super) const PIECES: usize = 65_536;

/// What evidence is gathered for.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Group {
    /// A target of scans.
    Target(Arc<str>),
    /// A workload whose pods scan.
    Workload(Arc<str>),
    /// What many seem to be clients of.
    Dependency(Arc<str>),
}

/// The last that was seen of a source in a group.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) source: Arc<Source>,
    pub(super) at: Time,
    pub(super) first_seen: Time,
    pub(super) last_seen: Time,
    pub(super) anomaly: Arc<str>,
    /// What it tried, if it may be a client.
    pub(super) things: Option<Arc<[u64]>>,
    arrival: u64,
}

/// The pieces of a group within a window, in the order of their sources.
#[derive(Debug, Default)]
pub(super) struct Judged<'a> {
    pub(super) scanners: Vec<&'a Piece>,
    pub(super) clients: Vec<&'a Piece>,
}

impl Piece {
    pub(super) fn of(source: &Arc<Source>, sighting: &Sighting, at: Time) -> Self {
        Self {
            source: Arc::clone(source),
            at,
            first_seen: sighting.first_seen,
            last_seen: sighting.last_seen,
            anomaly: Arc::clone(&sighting.anomaly),
            things: sighting.client.as_ref().map(|it| Arc::clone(&it.things)),
            arrival: 0,
        }
    }

    /// Who once scanned is no client soon after.
    fn outweighs(&self, later: &Self) -> bool {
        self.things.is_none() && later.at.since(self.at) < LONGEST
    }
}

#[derive(Debug, Default)]
pub(super) struct Evidence {
    groups: BTreeMap<Group, BTreeMap<Arc<str>, Piece>>,
    /// Oldest first.
    order: BTreeMap<u64, (Group, Arc<str>)>,
    arrivals: u64,
}

impl Evidence {
    /// Takes in what was seen of a source in a group, and tells how much that was fresh made room.
    pub(super) fn insert(&mut self, group: &Group, mut piece: Piece) -> u64 {
        self.arrivals += 1;
        piece.arrival = self.arrivals;
        let (name, at) = (Arc::clone(&piece.source.name), piece.at);
        if let Some(before) = self.remove(group, &name) {
            if before.outweighs(&piece) {
                piece.things = None;
            }
            piece.first_seen = piece.first_seen.min(before.first_seen);
            piece.at = piece.at.max(before.at);
        }
        let mut forgotten = 0;
        let full = self
            .groups
            .get(group)
            .filter(|pieces| pieces.len() >= SOURCES as usize);
        if let Some(oldest) = full.and_then(|pieces| pieces.values().min_by_key(|it| it.arrival)) {
            let name = Arc::clone(&oldest.source.name);
            forgotten += self.forget(group, &name, at);
        }
        if self.order.len() >= PIECES
            && let Some((_, (group, name))) = self.order.first_key_value()
        {
            let (group, name) = (group.clone(), Arc::clone(name));
            forgotten += self.forget(&group, &name, at);
        }
        self.order
            .insert(piece.arrival, (group.clone(), Arc::clone(&name)));
        let pieces = self.groups.entry(group.clone()).or_default();
        pieces.insert(name, piece);
        forgotten
    }

    /// Splits who was seen in the window that ends with `at`, or in the one that begins there, if that one has
    /// more: an agent may have been away for a while.
    pub(super) fn judge(&self, group: &Group, at: Time, window: Duration) -> Judged<'_> {
        let pieces = || {
            self.groups
                .get(group)
                .into_iter()
                .flat_map(BTreeMap::values)
        };
        let before = split(pieces().filter(|it| it.at <= at && at.since(it.at) < window));
        if !pieces().any(|it| it.at > at) {
            return before;
        }
        let after = split(pieces().filter(|it| it.at >= at && it.at.since(at) < window));
        if after.count() > before.count() {
            after
        } else {
            before
        }
    }

    /// Whether the source of this piece, which need not be among them yet, is a scanner among its group.
    pub(super) fn scans(&self, group: &Group, piece: &Piece, window: Duration) -> bool {
        let Some(things) = &piece.things else {
            return true;
        };
        let Some(pieces) = self.groups.get(group) else {
            return true;
        };
        let known = pieces.get(&piece.source.name);
        if known.is_some_and(|known| known.outweighs(piece)) {
            return true;
        }
        let near = |it: &&Piece| it.at.since(piece.at).max(piece.at.since(it.at)) < window;
        let others = pieces
            .values()
            .filter(|it| it.source.name != piece.source.name);
        let others = others.filter(near).filter_map(|it| it.things.as_deref());
        let tried: BTreeSet<_> = others.flatten().collect();
        let shared = things.iter().filter(|thing| tried.contains(thing)).count();
        2 * shared < things.len()
    }

    /// Forgets a group whose evidence is spent.
    pub(super) fn spend(&mut self, group: &Group) {
        for piece in self.groups.remove(group).unwrap_or_default().values() {
            self.order.remove(&piece.arrival);
        }
    }

    /// Forgets the oldest pieces, once nothing is correlated with them any more.
    pub(super) fn expire(&mut self, now: Time) {
        while let Some((_, (group, name))) = self.order.first_key_value() {
            let piece = self.groups.get(group).and_then(|pieces| pieces.get(name));
            if piece.is_some_and(|piece| now.since(piece.at) < LONGEST) {
                return;
            }
            let (group, name) = (group.clone(), Arc::clone(name));
            self.remove(&group, &name);
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    fn forget(&mut self, group: &Group, name: &Arc<str>, at: Time) -> u64 {
        let piece = self.remove(group, name);
        u64::from(piece.is_some_and(|piece| at.since(piece.at) < LONGEST))
    }

    fn remove(&mut self, group: &Group, name: &Arc<str>) -> Option<Piece> {
        let pieces = self.groups.get_mut(group)?;
        let piece = pieces.remove(name)?;
        if pieces.is_empty() {
            self.groups.remove(group);
        }
        self.order.remove(&piece.arrival);
        Some(piece)
    }
}

impl Judged<'_> {
    fn count(&self) -> usize {
        self.scanners.len() + self.clients.len()
    }
}

/// How many nodes the pieces are of.
pub(super) fn nodes(pieces: &[&Piece]) -> usize {
    let nodes: BTreeSet<_> = pieces.iter().map(|piece| &piece.source.node).collect();
    nodes.len()
}

fn split<'a>(pieces: impl Iterator<Item = &'a Piece> + Clone) -> Judged<'a> {
    let things = pieces.clone().filter_map(|it| it.things.as_deref());
    let mut tried: Vec<u64> = things.flatten().copied().collect();
    tried.sort_unstable();
    let shared = |thing: &&u64| {
        let first = tried.partition_point(|it| it < thing);
        tried.get(first + 1) == Some(thing)
    };
    let mut judged = Judged::default();
    for piece in pieces {
        let things = piece.things.as_deref();
        let client = things.is_some_and(|it| 2 * it.iter().filter(shared).count() >= it.len());
        if client {
            judged.clients.push(piece);
        } else {
            judged.scanners.push(piece);
        }
    }
    judged
}

/// What a sighting is evidence of, dependencies aside.
pub(super) fn groups(sighting: &Sighting) -> Vec<Group> {
    let workload = sighting
        .source
        .as_ref()
        .and_then(|source| source.workload.as_ref());
    let workload = workload
        .map(|(namespace, workload)| Group::Workload(format!("{namespace}/{workload}").into()));
    let targets = sighting.targets.iter();
    let targets = targets.map(|reached| Group::Target(Arc::clone(&reached.name)));
    targets.chain(workload).collect()
}

/// What it may be a client of.
pub(super) fn dependency(sighting: &Sighting) -> Option<Group> {
    let dependency = sighting.client.as_ref()?.dependency.as_ref()?;
    Some(Group::Dependency(Arc::clone(&dependency.name)))
}
