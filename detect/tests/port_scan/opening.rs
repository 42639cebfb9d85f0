//! What opens an anomaly, and what does not quite.

use detect::{Anomaly, Measure, Severity, State, Time};

use crate::replay::{Fate, find, ms, peer, probe, scan};

const ANSWERS: Fate = Fate::Answers(1);
const REFUSES: Fate = Fate::Refuses(1);

fn opened(found: &[Anomaly]) -> Option<&Anomaly> {
    found.iter().find(|anomaly| anomaly.state == State::Opened)
}

#[test]
fn each_threshold_opens_at_its_count_and_not_one_below() {
    use Measure::{DistinctPorts, FailedPortsPerDestination};
    for (threshold, every_ms, fate, measure, window_s, severity) in [
        (
            10,
            100,
            REFUSES,
            FailedPortsPerDestination,
            60,
            Severity::High,
        ),
        (
            10,
            6000,
            REFUSES,
            FailedPortsPerDestination,
            60,
            Severity::High,
        ),
        (
            10,
            6000,
            Fate::Drops,
            FailedPortsPerDestination,
            60,
            Severity::High,
        ),
        (
            12,
            60_000,
            REFUSES,
            FailedPortsPerDestination,
            3600,
            Severity::High,
        ),
        (
            12,
            290_000,
            Fate::Drops,
            FailedPortsPerDestination,
            3600,
            Severity::High,
        ),
        (250, 200, ANSWERS, DistinctPorts, 60, Severity::Medium),
        (500, 7000, ANSWERS, DistinctPorts, 3600, Severity::Medium),
    ] {
        let case = format!("{threshold} ports, one each {every_ms} ms, {fate:?}");
        let until = u64::from(threshold) * every_ms + 10_000;
        assert_eq!(
            find(&scan(threshold - 1, every_ms, fate), until),
            [],
            "one below {case}"
        );
        let found = find(&scan(threshold, every_ms, fate), until);
        let opened = opened(&found).unwrap_or_else(|| panic!("nothing opened by {case}"));
        assert_eq!(opened.crossed.measure, measure, "{case}");
        assert_eq!(opened.crossed.counted, u64::from(threshold), "{case}");
        assert_eq!(opened.crossed.threshold, u64::from(threshold), "{case}");
        assert_eq!(opened.crossed.window.as_secs(), window_s, "{case}");
        assert_eq!(opened.severity, severity, "{case}");
        assert_eq!(opened.ports.distinct, u32::from(threshold), "{case}");
        assert_eq!(opened.targets.len(), 1, "{case}");
        assert_eq!(opened.attack_ids, ["T1046"], "{case}");
    }
}

#[test]
fn the_window_slides_and_has_no_seam() {
    // Five ports around every place where a window of a minute or an hour could have its seam.
    for seam_ms in (0..130).map(|second| second * 1000).chain([3_600_000]) {
        let probes: Vec<_> = (0..10_u16)
            .map(|n| {
                probe(
                    seam_ms + 30_000 + u64::from(n) * 6000,
                    peer(1),
                    n + 1,
                    REFUSES,
                )
            })
            .collect();
        let found = find(&probes, seam_ms + 90_000);
        assert!(
            opened(&found).is_some(),
            "ten ports over 54 s from {seam_ms} ms"
        );
    }
}

#[test]
fn crossed_at_is_the_packet_that_made_the_count_cross() {
    fn check(found: &[Anomaly], crossed_at: Time, first_seen: Time, last_seen: Time) {
        let opened = opened(found).unwrap();
        assert_eq!(opened.crossed_at, crossed_at);
        assert_eq!(opened.first_seen, first_seen);
        assert_eq!(opened.last_seen, last_seen);
    }
    let refused = find(&scan(12, 10, Fate::Refuses(3)), 1000);
    check(&refused, ms(500 + 90 + 3), ms(503), ms(500 + 110 + 3));
    let silent = find(&scan(12, 10, Fate::Drops), 4000);
    check(&silent, ms(500 + 90 + 2000), ms(500), ms(500 + 110));
}
