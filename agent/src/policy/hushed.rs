//! Anomalies nobody was told of, because they were excepted.

use std::collections::HashSet;

use api::{summary, v1};

/// Anomalies whose opening was excepted, as many as are open at most.
///
/// Who was told of an opening is told of the end, whatever is excepted by then; and who was not is told of an
/// opening first.
#[derive(Clone, Debug, Default)]
pub struct Hushed(HashSet<String>);

impl Hushed {
    /// Whether the event is to be told; one that is the first of its anomaly to be told opens it.
    pub fn tells(&mut self, event: &mut v1::Event, excepted: bool) -> bool {
        let hushed = self.0.contains(&event.anomaly_id);
        match event.state() {
            v1::State::Closed => !self.0.remove(&event.anomaly_id),
            v1::State::Updated if hushed && !excepted => {
                self.0.remove(&event.anomaly_id);
                event.state = v1::State::Opened.into();
                event.summary = summary::summarize(event);
                true
            }
            v1::State::Updated => !hushed,
            v1::State::Opened | v1::State::Unspecified => {
                if excepted {
                    self.0.insert(event.anomaly_id.clone());
                }
                !excepted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use v1::State::{Closed, Opened, Updated};

    use super::*;

    #[test]
    fn an_anomaly_is_told_from_its_opening_to_its_end_or_not_at_all() {
        for (story, told) in [
            (
                vec![(Opened, false), (Updated, true), (Closed, true)],
                vec![Opened, Updated, Closed],
            ),
            (
                vec![(Opened, true), (Updated, true), (Closed, true)],
                vec![],
            ),
            (vec![(Opened, true), (Closed, false)], vec![]),
            (
                vec![
                    (Opened, true),
                    (Updated, false),
                    (Updated, false),
                    (Closed, false),
                ],
                vec![Opened, Updated, Closed],
            ),
        ] {
            let mut hushed = Hushed::default();
            let mut heard = Vec::new();
            for &(state, excepted) in &story {
                let mut event = v1::Event {
                    anomaly_id: "n1/1/1.1/port_scan/1".into(),
                    state: state.into(),
                    ..v1::Event::default()
                };
                if hushed.tells(&mut event, excepted) {
                    heard.push(event.state());
                }
            }
            assert_eq!(heard, told, "{story:?}");
            assert!(hushed.0.is_empty(), "{story:?}");
        }
    }
}
