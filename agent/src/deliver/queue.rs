//! The events that the collector has not acknowledged, and which of them go first when there is no room.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use api::v1;

/// Unacknowledged events in sequence order, bounded.
#[derive(Debug)]
pub(super) struct Queue {
    capacity: usize,
    events: BTreeMap<u64, Arc<v1::Event>>,
    /// The same, lowest severity and then oldest first.
    by_severity: BTreeSet<(i32, u64)>,
    /// Dropped events that no batch has told of.
    dropped: u64,
    /// Sent batches that told of dropped events and are not acknowledged.
    telling: VecDeque<Telling>,
}

#[derive(Debug)]
struct Telling {
    dropped: u64,
    /// The last event of the batch; none when it told of dropped events alone.
    last: Option<u64>,
}

impl Queue {
    pub(super) const fn new(capacity: usize) -> Self {
        Self {
            capacity,
            events: BTreeMap::new(),
            by_severity: BTreeSet::new(),
            dropped: 0,
            telling: VecDeque::new(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// Takes in an event. When there is no room, the oldest of the lowest severity is dropped, which
    /// may be this one; it is returned.
    pub(super) fn push(&mut self, event: Arc<v1::Event>) -> Option<Arc<v1::Event>> {
        let sequence = sequence(&event);
        self.by_severity.insert((event.severity, sequence));
        self.events.insert(sequence, event);
        if self.events.len() <= self.capacity {
            return None;
        }
        let (_, victim) = self.by_severity.pop_first()?;
        self.dropped += 1;
        self.events.remove(&victim)
    }

    /// Whether there is anything to send to who was sent all up to `sent`.
    pub(super) fn has_batch(&self, sent: u64) -> bool {
        let unsent = self
            .events
            .last_key_value()
            .is_some_and(|(last, _)| *last > sent);
        unsent || (self.events.is_empty() && self.dropped > 0)
    }

    /// The next batch for who was sent all up to `sent`, and up to where it reaches.
    pub(super) fn batch(&mut self, sent: u64, most: usize) -> (v1::Batch, u64) {
        let events: Vec<_> = self
            .events
            .range(sent + 1..)
            .take(most)
            .map(|(_, event)| v1::Event::clone(event))
            .collect();
        let last = events.last().map(sequence);
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            self.telling.push_back(Telling { dropped, last });
        }
        (
            v1::Batch {
                events,
                dropped,
                ..Default::default()
            },
            last.unwrap_or(sent),
        )
    }

    /// All events up to `sequence` are safe; returns how many of those were waiting.
    pub(super) fn acknowledge(&mut self, sequence: u64) -> usize {
        // A batch without events is sent when nothing else waits for an acknowledgement, so whichever
        // comes next is its own.
        self.confirm(|telling| telling.last.is_none_or(|last| last <= sequence));
        self.forget(sequence)
    }

    /// A collector that holds all events up to `sequence` is to be sent the rest.
    pub(super) fn resume(&mut self, sequence: u64) -> usize {
        self.confirm(|telling| telling.last.is_some_and(|last| last <= sequence));
        self.dropped += self
            .telling
            .drain(..)
            .map(|telling| telling.dropped)
            .sum::<u64>();
        self.forget(sequence)
    }

    fn confirm(&mut self, told: impl Fn(&Telling) -> bool) {
        self.telling.retain(|telling| !told(telling));
    }

    fn forget(&mut self, sequence: u64) -> usize {
        let rest = self.events.split_off(&sequence.saturating_add(1));
        let safe = std::mem::replace(&mut self.events, rest);
        for (sequence, event) in &safe {
            self.by_severity.remove(&(event.severity, *sequence));
        }
        safe.len()
    }
}

pub(super) fn sequence(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}

#[cfg(test)]
mod tests {
    use v1::Severity::{High, Low, Medium};

    use super::*;

    fn event(sequence: u64, severity: v1::Severity) -> Arc<v1::Event> {
        Arc::new(v1::Event {
            id: Some(v1::EventId {
                sequence,
                ..v1::EventId::default()
            }),
            severity: severity.into(),
            ..v1::Event::default()
        })
    }

    fn filled(capacity: usize, severities: &[v1::Severity]) -> (Queue, Vec<u64>) {
        let mut queue = Queue::new(capacity);
        let mut victims = Vec::new();
        for (sequence, severity) in (1..).zip(severities) {
            victims.extend(
                queue
                    .push(event(sequence, *severity))
                    .map(|event| self::sequence(&event)),
            );
        }
        (queue, victims)
    }

    fn sequences(batch: &v1::Batch) -> Vec<u64> {
        batch.events.iter().map(sequence).collect()
    }

    #[test]
    fn the_oldest_of_the_lowest_severity_is_dropped() {
        let cases = [
            (&[Low, Low, Low][..], &[][..], &[1, 2, 3][..]),
            (&[Low, Low, Low, Low], &[1], &[2, 3, 4]),
            (&[High, Low, Medium, High], &[2], &[1, 3, 4]),
            (&[High, Medium, Low, Low, Low], &[3, 4], &[1, 2, 5]),
            (&[High, High, High, Low], &[4], &[1, 2, 3]),
            (&[High, High, High, High], &[1], &[2, 3, 4]),
            (&[Medium, High, Medium, High, High], &[1, 3], &[2, 4, 5]),
        ];
        for (severities, victims, kept) in cases {
            let (mut queue, dropped) = filled(3, severities);
            assert_eq!(dropped, victims, "{severities:?}");
            let (batch, _) = queue.batch(0, 10);
            assert_eq!(sequences(&batch), kept, "{severities:?}");
            assert_eq!(batch.dropped, victims.len() as u64, "{severities:?}");
        }
    }

    #[test]
    fn batches_are_bounded_and_follow_each_other() {
        let (mut queue, _) = filled(10, &[Low; 5]);
        let (batch, sent) = queue.batch(0, 2);
        assert_eq!((sequences(&batch), sent), (vec![1, 2], 2));
        let (batch, sent) = queue.batch(sent, 2);
        assert_eq!((sequences(&batch), sent), (vec![3, 4], 4));
        let (batch, sent) = queue.batch(sent, 2);
        assert_eq!((sequences(&batch), sent), (vec![5], 5));
        assert!(!queue.has_batch(sent));
        assert_eq!(queue.acknowledge(3), 3);
        assert_eq!(queue.acknowledge(3), 0);
        assert_eq!(queue.len(), 2);
    }

    #[test]
    fn exactly_what_was_not_acknowledged_is_sent_again() {
        for (held, expected) in [(0, vec![1, 2, 3, 4]), (2, vec![3, 4]), (4, vec![])] {
            let (mut queue, _) = filled(10, &[Low; 4]);
            queue.batch(0, 10);
            queue.resume(held);
            let (batch, _) = queue.batch(held, 10);
            assert_eq!(sequences(&batch), expected, "held up to {held}");
        }
    }

    #[test]
    fn dropped_events_are_told_once() {
        // Of six events in a queue of four, 1 and 2 are dropped; the batch that says so reaches 4.
        for (held, expected) in [(0, 2), (3, 2), (4, 0), (6, 0)] {
            let (mut queue, _) = filled(4, &[Low; 6]);
            let (batch, _) = queue.batch(0, 2);
            assert_eq!((sequences(&batch), batch.dropped), (vec![3, 4], 2));
            let (batch, _) = queue.batch(4, 2);
            assert_eq!((sequences(&batch), batch.dropped), (vec![5, 6], 0));
            queue.resume(held);
            let (batch, _) = queue.batch(held, 10);
            assert_eq!(batch.dropped, expected, "held up to {held}");
        }
    }

    #[test]
    fn dropped_events_are_told_when_nothing_is_left_to_send() {
        let (mut queue, victims) = filled(2, &[High, High, Low]);
        assert_eq!(victims, [3]);
        let (_, sent) = queue.batch(0, 10);
        queue.acknowledge(sent);
        assert!(!queue.has_batch(sent), "that batch has told of it");

        queue.push(event(4, High));
        queue.push(event(5, High));
        let (_, sent) = queue.batch(sent, 10);
        queue.push(event(6, Low));
        assert!(
            !queue.has_batch(sent),
            "it goes with the next batch while others are unsafe"
        );
        queue.acknowledge(sent);
        assert!(queue.has_batch(sent));
        let (batch, again) = queue.batch(sent, 10);
        assert_eq!((batch.events.len(), batch.dropped, again), (0, 1, sent));

        queue.resume(sent);
        assert!(queue.has_batch(sent), "nobody has said that it arrived");
        queue.batch(sent, 10);
        queue.acknowledge(sent);
        queue.resume(sent);
        assert!(!queue.has_batch(sent));
    }
}
