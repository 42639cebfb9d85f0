//! A correlation opens, grows and closes, as it is set.

use super::*;

#[test]
fn a_correlation_grows_by_decades_and_closes_after_quiet_or_an_hour() {
    let mut log = Log::new();
    let mut updates = Vec::new();
    for index in 0..120 {
        let raised = log.commit(&scan(60 + index, "n1", &format!("app{index}x"), "10.0.0.9"));
        updates.extend(raised.into_iter().map(|it| (it.state(), it.counted)));
    }
    let (opened, updated) = (v1::State::Opened, v1::State::Updated);
    assert_eq!(updates, [(opened, 5), (updated, 10), (updated, 100)]);
    assert_eq!(log.tick(179 + 299), []);
    let closed = log.tick(179 + 300);
    assert_eq!(
        (closed[0].state(), closed[0].counted),
        (v1::State::Closed, 120)
    );
    // The evidence is spent.
    assert_eq!(log.commit(&scan(180 + 300, "n1", "app1x", "10.0.0.9")), []);

    let mut log = Log::new();
    for index in 0..70 {
        log.commit(&scan(
            60 * index,
            "n1",
            &format!("app{}x", index % 5),
            "10.0.0.9",
        ));
        log.tick(60 * index);
    }
    let states = log
        .events
        .iter()
        .filter(|it| it.detector == "distributed_scan");
    let states: Vec<_> = states.map(v1::Event::state).collect();
    assert_eq!(states, [opened, v1::State::Closed, opened]);
}

#[test]
fn modes_are_kept() {
    for (mode, expected) in [("off", None), ("shadow", Some(true)), ("on", Some(false))] {
        let mut settings = Settings::default();
        settings.set("distributed_scan", "mode", mode).unwrap();
        let mut log = Log::with(settings);
        let scans = (0..6).map(|index| scan(60, "n1", &format!("app{index}x"), "10.0.0.9"));
        let raised: Vec<_> = scans.flat_map(|event| log.commit(&event)).collect();
        assert_eq!(raised.first().map(|it| it.shadow), expected);
        assert_eq!(log.mark().is_empty(), mode != "on", "a trial hides nothing");
    }
}

#[test]
fn a_clock_that_is_ahead_keeps_nothing_open() {
    let mut log = Log::new();
    let ahead = 86_400;
    for (node, source) in [("n1", "app1"), ("n2", "app2"), ("n3", "app3")] {
        log.commit_at(&scan(ahead, node, source, "10.0.0.9"), at(60));
    }
    assert_eq!(log.tick(60 + 299), []);
    assert_eq!(log.tick(60 + 300).len(), 1);
}
