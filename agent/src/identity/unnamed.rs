//! Events whose pod was not known when they were raised.

use std::collections::VecDeque;

use api::v1;
use detect::Subject;

/// Anomalies remembered.
const MOST: usize = 1024;

/// The last event of each such anomaly, to be told again once the pod is known.
#[derive(Debug, Default)]
pub struct Unnamed {
    waiting: VecDeque<(Subject, v1::Event)>,
    dropped: u64,
}

impl Unnamed {
    /// Remembers the event instead of the one before of the same anomaly.
    pub fn wait(&mut self, subject: Subject, event: v1::Event) {
        self.waiting
            .retain(|(_, other)| other.anomaly_id != event.anomaly_id);
        if self.waiting.len() >= MOST {
            self.waiting.pop_front();
            self.dropped += 1;
        }
        self.waiting.push_back((subject, event));
    }

    /// The anomaly was told with its pod.
    pub fn named(&mut self, anomaly: &str) {
        self.waiting
            .retain(|(_, event)| event.anomaly_id != anomaly);
    }

    /// Takes out what waits for the pod of this subject.
    pub fn take(&mut self, subject: Subject) -> Vec<v1::Event> {
        let (found, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<Vec<_>, _>(|(of, _)| *of == subject);
        self.waiting = waiting.into();
        found.into_iter().map(|(_, event)| event).collect()
    }

    /// Anomalies that will stay without a pod, because too many waited.
    pub const fn take_dropped(&mut self) -> u64 {
        std::mem::replace(&mut self.dropped, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(anomaly: &str, sequence: u64) -> v1::Event {
        v1::Event {
            id: Some(v1::EventId {
                sequence,
                ..v1::EventId::default()
            }),
            anomaly_id: anomaly.into(),
            ..v1::Event::default()
        }
    }

    fn subject(ifindex: u32) -> Subject {
        Subject { ifindex, epoch: 1 }
    }

    #[test]
    fn the_last_event_of_each_anomaly_waits_for_its_pod() {
        let mut unnamed = Unnamed::default();
        unnamed.wait(subject(1), event("a", 1));
        unnamed.wait(subject(2), event("b", 2));
        unnamed.wait(subject(1), event("a", 3));
        unnamed.wait(subject(1), event("c", 4));
        unnamed.named("c");
        assert_eq!(unnamed.take(subject(1)), [event("a", 3)]);
        assert_eq!(unnamed.take(subject(1)), []);
        assert_eq!(unnamed.take(subject(2)), [event("b", 2)]);
    }

    #[test]
    fn too_many_are_counted() {
        let mut unnamed = Unnamed::default();
        for index in 0..MOST + 3 {
            unnamed.wait(subject(1), event(&index.to_string(), 1));
        }
        assert_eq!(unnamed.take_dropped(), 3);
        assert_eq!(unnamed.take(subject(1)).len(), MOST);
    }
}
