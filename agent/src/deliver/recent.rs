//! The last events of this agent, for those who subscribe to it.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use api::v1;
use tokio::sync::watch;

/// A bounded ring; subscribers are positions in it, so a slow one delays and costs nobody.
#[derive(Debug)]
pub(super) struct Recent {
    ring: Mutex<VecDeque<Arc<v1::Event>>>,
    capacity: usize,
    /// The position behind the newest event: how many there have been.
    end: watch::Sender<u64>,
}

/// What is at a position.
#[derive(Debug, PartialEq)]
pub(super) enum At {
    Event(Arc<v1::Event>),
    /// Nothing any more: so many events are gone.
    Lost(u64),
    /// Nothing yet.
    End,
}

impl Recent {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            ring: Mutex::new(VecDeque::with_capacity(capacity)),
            capacity,
            end: watch::Sender::new(0),
        }
    }

    pub(super) fn push(&self, event: Arc<v1::Event>) {
        let mut ring = self.ring();
        if ring.len() == self.capacity {
            ring.pop_front();
        }
        ring.push_back(event);
        // Under the lock, so that ring and end agree.
        self.end.send_modify(|end| *end += 1);
    }

    /// The position behind the newest event, to wait for its change.
    pub(super) fn end(&self) -> watch::Receiver<u64> {
        self.end.subscribe()
    }

    pub(super) fn at(&self, position: u64) -> At {
        let ring = self.ring();
        let end = *self.end.borrow();
        let start = end - ring.len() as u64;
        let Some(offset) = position.checked_sub(start) else {
            return At::Lost(start - position);
        };
        let event = usize::try_from(offset)
            .ok()
            .and_then(|offset| ring.get(offset));
        event.map_or(At::End, |event| At::Event(Arc::clone(event)))
    }

    fn ring(&self) -> MutexGuard<'_, VecDeque<Arc<v1::Event>>> {
        // Nothing panics while it holds the lock, and a ring is whole after each step.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_ring_has_no_room_for_is_counted_as_lost() {
        let event = |cursor| {
            Arc::new(v1::Event {
                cursor,
                ..v1::Event::default()
            })
        };
        let recent = Recent::new(3);
        assert_eq!(recent.at(0), At::End);
        for cursor in 0..5 {
            recent.push(event(cursor));
        }
        let seen: Vec<_> = (0..6).map(|position| recent.at(position)).collect();
        let expected = [
            At::Lost(2),
            At::Lost(1),
            At::Event(event(2)),
            At::Event(event(3)),
            At::Event(event(4)),
            At::End,
        ];
        assert_eq!(seen, expected);
        assert_eq!(*recent.end().borrow(), 5);
    }
}
