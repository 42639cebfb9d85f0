//! The same events give the same correlations, and a restart changes none of them.

use super::*;

const EVENTS: usize = 250;

/// Scans, clients and quiet, in an order that looks random and is not.
fn story() -> Vec<(i64, v1::Event)> {
    let ports: Vec<_> = (9000..9012).collect();
    let mut random: u64 = 1;
    let mut next = |below: i64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(random >> 33).unwrap() % below
    };
    let mut now = 100;
    (0..EVENTS)
        .map(|_| {
            now += if next(40) == 0 { 200 } else { next(6) };
            let (node, index, host) = (next(3), next(12), next(3));
            let source = format!("web-{index}");
            let (node, target) = (format!("n{node}"), format!("10.0.0.{host}"));
            // Some come late.
            let raised = now - next(30);
            let event = match next(3) {
                0 => scan(raised, &node, &source, &target),
                1 => clients(raised, &node, &source, "10.0.9.9", &ports),
                _ => sweep(
                    raised,
                    &node,
                    &format!("app{index}x"),
                    vec![failing(address(&target), &[80])],
                ),
            };
            (now, event)
        })
        .collect()
}

impl Log {
    fn restart(&mut self, seconds: i64) {
        let sequence = self.events.iter().filter_map(|it| it.id.as_ref());
        let sequence = sequence.filter(|it| it.node == COLLECTOR).count();
        self.correlator.reset(7, u64::try_from(sequence).unwrap());
        for event in &self.events {
            self.correlator.replay(event, at(seconds).into());
        }
    }
}

fn told(restart_at: Option<usize>) -> Vec<v1::Event> {
    let mut log = Log::new();
    for (index, (now, event)) in story().iter().enumerate() {
        if restart_at == Some(index) {
            log.restart(*now);
        }
        log.tick(*now);
        log.commit_at(event, at(*now));
    }
    log.tick(100_000);
    log.events
}

#[test]
fn the_same_events_give_the_same_correlations() {
    let events = told(None);
    for kind in Settings::NAMES {
        let of_kind = |state| {
            let of = |it: &&v1::Event| it.detector == kind && it.state() == state;
            events.iter().filter(of).count()
        };
        assert!(of_kind(v1::State::Opened) > 0, "the story has no {kind}");
        assert_eq!(
            of_kind(v1::State::Opened),
            of_kind(v1::State::Closed),
            "{kind}"
        );
    }
    assert_eq!(events, told(None));
}

#[test]
fn a_restart_at_any_time_changes_nothing() {
    let expected = told(None);
    for restart_at in (0..EVENTS).step_by(3) {
        let events = told(Some(restart_at));
        let differs = events.iter().zip(&expected).find(|(a, b)| a != b);
        assert_eq!(differs, None, "a restart before event {restart_at}");
        assert_eq!(events.len(), expected.len());
    }
}
