//! Things counted apart, as many groups as there is room for.

use std::hash::Hash;

use hashbrown::HashMap;

use crate::Time;

/// What is counted of one group.
pub(super) trait Group: Default {
    /// How much of the last hour would be lost with it.
    fn weight(&self, now: Time) -> u32;

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    fn heap_bytes(&self) -> usize;
}

/// Groups by their key; the one with the least in it makes room for another.
#[derive(Clone, Debug)]
pub(super) struct Groups<K, G> {
    groups: HashMap<K, Box<G>>,
    room: usize,
}

impl<K: Copy + Eq + Hash + Ord, G: Group> Groups<K, G> {
    /// With room for so many.
    pub(super) fn new(room: usize) -> Self {
        Self {
            groups: HashMap::new(),
            room,
        }
    }

    /// The group of this key, made if there is none. What was lost for it is added to `forgotten`.
    pub(super) fn of(&mut self, key: K, now: Time, forgotten: &mut u64) -> &mut G {
        if self.groups.len() >= self.room && !self.groups.contains_key(&key) {
            let weights = self.groups.iter().map(|(&key, it)| (it.weight(now), key));
            if let Some((weight, least)) = weights.min() {
                self.groups.remove(&least);
                *forgotten += u64::from(weight);
            }
        }
        self.groups.entry(key).or_default()
    }

    /// The group of this key, if there is one.
    pub(super) fn find(&mut self, key: K) -> Option<&mut G> {
        self.groups.get_mut(&key).map(|group| &mut **group)
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.groups = HashMap::new();
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        let groups = self.groups.values();
        let groups: usize = groups.map(|it| size_of::<G>() + it.heap_bytes()).sum();
        self.groups.allocation_size() + groups
    }
}
