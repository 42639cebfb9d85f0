//! Counts distinct keys over the horizons, as many as there is room for.

use std::{collections::VecDeque, hash::Hash};

use hashbrown::HashMap;

use crate::{
    Time,
    window::{HORIZONS, PerHorizon, Windows, reach},
};

/// Keys by when each was last seen, each with something to remember of it. The one seen longest ago makes
/// room for another.
#[derive(Clone, Debug)]
pub(crate) struct Tally<K, V = ()> {
    seen: HashMap<K, (Time, V)>,
    /// In the order they came, some that are no longer in `seen` included.
    order: VecDeque<(Time, K)>,
    windows: Windows,
    room: usize,
}

impl<K: Copy + Hash + Ord, V> Tally<K, V> {
    /// With room for so many keys.
    pub(crate) fn new(room: usize) -> Self {
        Self {
            seen: HashMap::new(),
            order: VecDeque::new(),
            windows: Windows::default(),
            room,
        }
    }

    /// The key is seen; true when it was not known. How many were forgotten for it is added to
    /// `forgotten`.
    pub(crate) fn insert(&mut self, key: K, value: V, at: Time, forgotten: &mut u64) -> bool {
        self.age(at);
        if let Some((before, _)) = self.seen.get_mut(&key) {
            let at = at.max(*before);
            self.windows.seen(Some(*before), at);
            *before = at;
            return false;
        }
        while self.seen.len() >= self.room
            && let Some(was_one) = self.pop()
        {
            *forgotten += u64::from(was_one);
        }
        if self.order.len() >= 2 * self.room {
            self.tidy();
        }
        self.windows.seen(None, at);
        self.seen.insert(key, (at, value));
        self.order.push_back((at, key));
        true
    }

    /// The key does not count any more; true when it did.
    pub(crate) fn remove(&mut self, key: &K) -> bool {
        let Some((at, _)) = self.seen.remove(key) else {
            return false;
        };
        self.windows.forget(at);
        true
    }

    pub(crate) fn contains(&self, key: &K) -> bool {
        self.seen.contains_key(key)
    }

    pub(crate) fn counts(&self, now: Time) -> PerHorizon {
        self.windows.counts(now)
    }

    /// How many keys are remembered, however long ago they were seen.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The keys seen since `start`, with the time, in no order.
    pub(crate) fn since(&self, start: Time) -> impl Iterator<Item = (K, Time, &V)> {
        let seen = self
            .seen
            .iter()
            .map(|(&key, (at, value))| (key, *at, value));
        seen.filter(move |&(_, at, _)| at >= start)
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = Self::new(self.room);
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let order = self.order.capacity() * size_of::<(Time, K)>();
        self.seen.allocation_size() + order + self.windows.heap_bytes()
    }

    /// Forgets what no window needs.
    fn age(&mut self, now: Time) {
        let needed = now - reach(HORIZONS.len() - 1);
        while self.order.front().is_some_and(|&(at, _)| at < needed) {
            self.pop();
        }
    }

    /// Drops from the order what was removed since.
    fn tidy(&mut self) {
        let seen = self.seen.iter().map(|(&key, &(at, _))| (at, key));
        let mut order: Vec<_> = seen.collect();
        order.sort_unstable();
        self.order = order.into();
    }

    /// Takes the key at the front: it goes to the back when it was seen again since. Whether one was
    /// forgotten.
    fn pop(&mut self) -> Option<bool> {
        let (came, key) = self.order.pop_front()?;
        match self.seen.get(&key) {
            Some(&(at, _)) if at > came => {
                self.order.push_back((at, key));
                Some(false)
            }
            Some(&(at, _)) => {
                self.windows.forget(at);
                self.seen.remove(&key);
                Some(true)
            }
            None => Some(false),
        }
    }
}
