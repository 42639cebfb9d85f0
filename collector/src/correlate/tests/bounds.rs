//! Whatever agents send, memory is bounded, and what found no room is counted.

use super::{
    super::{case, correlator, evidence, settings},
    *,
};

impl Log {
    fn forgotten(&self) -> u64 {
        self.forgotten.forgotten.get()
    }
}

#[test]
fn evidence_without_end_makes_room_for_what_is_newer() {
    let mut log = Log::new();
    // Each is evidence of 16 targets and of a workload.
    let sweeps = evidence::PIECES / 17 + 100;
    for index in 0..sweeps {
        let host = |host| failing(address(&format!("10.{index}.{host}")), &[80]);
        let targets = (0..16).map(host).collect();
        let raised = log.commit(&sweep(60, "n1", &format!("app{index}x"), targets));
        assert_eq!(raised, []);
        log.events.clear();
    }
    assert_eq!(log.correlator.evidence().len(), evidence::PIECES);
    let too_many = sweeps * 17 - evidence::PIECES;
    assert_eq!(log.forgotten(), u64::try_from(too_many).unwrap());
    log.tick(60 + 3600);
    assert_eq!(log.correlator.evidence().len(), 0, "too old");
}

#[test]
fn the_sources_of_one_target_are_bounded() {
    let mut settings = Settings::default();
    settings.set("distributed_scan", "mode", "off").unwrap();
    let mut log = Log::with(settings);
    let most = i64::from(settings::SOURCES);
    for index in 0..most + 10 {
        let source = format!("app{index}x");
        log.commit(&v1::Event {
            source: Some(address(&source)),
            technique: v1::Technique::TcpSyn.into(),
            ..scan(60, "n1", &source, "10.0.0.9")
        });
    }
    assert_eq!(log.correlator.evidence().len(), settings::SOURCES as usize);
    assert_eq!(log.forgotten(), 10);
}

#[test]
fn open_correlations_and_what_each_remembers_are_bounded() {
    let mut log = Log::new();
    let mut opened = 0;
    for target in 0..correlator::CASES + 5 {
        for source in 0..5 {
            // Others each time: else it would be one scan of many targets.
            let source = format!("app{target}x{source}");
            opened += log
                .commit(&scan(60, "n1", &source, &format!("10.{target}")))
                .len();
        }
    }
    assert_eq!(opened, correlator::CASES);
    assert_eq!(log.forgotten(), 5);

    let mut log = Log::new();
    for source in 0..case::MEMBERS + 5 {
        log.commit(&v1::Event {
            technique: v1::Technique::TcpSyn.into(),
            ..scan(60, "n1", &format!("app{source}x"), "10.0.0.9")
        });
    }
    assert_eq!(log.forgotten(), 5);
    let closed = log.tick(60 + 300);
    assert_eq!(closed[0].counted, u64::try_from(case::MEMBERS).unwrap());
    assert!(closed[0].samples.len() == 16 && closed[0].correlated.len() == 64);
}

#[test]
fn names_longer_than_any_are_not_kept() {
    let mut event = scan(60, "n1", &"x".repeat(254), "10.0.0.9");
    assert!(Sighting::of(&event).unwrap().source.is_none());
    event.anomaly_id = "x".repeat(513);
    assert!(Sighting::of(&event).is_none());
}
