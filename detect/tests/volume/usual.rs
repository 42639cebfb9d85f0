//! What is unusual for a pod, once it is known what is usual.

use std::time::Duration;

use detect::{
    Class, Count, Detectors, Observation, Settings, Severity, State, Subject, VolumeClass,
};

use crate::replay::{
    DAY, Fill, HOUR, SUBJECT, at, counts, default, ids, initiates, observation, play, receives,
    sends_bytes, teach, upload,
};

const WEEK: u64 = 7 * 24;
/// The first hour is not watched from its beginning, and so not learned.
const TAUGHT: u64 = WEEK + 1;

/// Ten kilobytes a minute.
const QUIET: fn(u64) -> u64 = |_| 10_000;

fn hour(hour: u64) -> detect::Time {
    at(HOUR * hour as u32)
}

#[test]
fn a_slow_upload_of_a_pod_that_is_usually_quiet_is_found() {
    let mut detectors = default();
    assert_eq!(teach(&mut detectors, SUBJECT, 0..TAUGHT + 1, QUIET), []);
    let found = play(&mut detectors, hour(TAUGHT + 1), upload(15));
    assert_eq!(ids(&found)[0], "bytes_out");
    assert_eq!(found[0].state, State::Opened);
    assert_eq!(found[0].severity, Severity::Medium);
    assert_eq!(found[0].crossed.window, Duration::from_secs(10));
    assert!(found[0].crossed.threshold < 2_000_000, "{:?}", found[0]);
    assert_eq!(found[0].attack_ids, ["T1041", "T1048"]);
    assert_eq!(found[0].samples, ["more than usual at this time"]);
}

#[test]
fn nothing_is_unusual_while_it_is_learned_and_from_then_on_it_is() {
    for (hours, learned, expected) in [(1, 0, 0), (WEEK, WEEK - 1, 0), (WEEK + 1, WEEK, 1)] {
        let mut detectors = default();
        teach(&mut detectors, SUBJECT, 0..hours, QUIET);
        // An hour is learned when the next one begins.
        let found = play(&mut detectors, hour(hours), upload(15));
        assert_eq!(detectors.learned(SUBJECT), HOUR * learned as u32, "{hours}");
        assert_eq!(found.len(), expected, "after {hours} hours");
    }
}

#[test]
fn a_backup_in_the_first_minute_raises_nothing() {
    let backup = observation(|it| sends_bytes(it, 2_500_000));
    let found = play(&mut default(), hour(1000), std::iter::repeat_n(backup, 600));
    assert_eq!(found, []);
}

#[test]
fn a_nightly_backup_is_usual_at_night_and_unusual_at_noon() {
    let nightly = |minute: u64| {
        let backup = minute / 60 % 24 == 2;
        if backup { 250_000_000 } else { 10_000 }
    };
    let mut detectors = default();
    let taught = 14 * 24;
    assert_eq!(teach(&mut detectors, SUBJECT, 0..taught, nightly), []);
    let backup = || {
        let tick = observation(|it| sends_bytes(it, 2_500_000));
        std::iter::repeat_n(tick, 100)
    };
    let night = play(&mut detectors.clone(), hour(taught + 2), backup());
    assert_eq!(night, []);
    let noon = play(&mut detectors, hour(taught + 12), backup());
    assert_eq!(ids(&noon)[0], "bytes_out");
}

#[test]
fn below_the_floor_nothing_is_unusual() {
    let mut settings = Settings::default();
    settings.bytes_out.thresholds.floor_in_10s = 4_000_000;
    let mut detectors = Detectors::new(settings);
    teach(&mut detectors, SUBJECT, 0..TAUGHT + 1, QUIET);
    let at_once = |bytes| observation(|it| sends_bytes(it, bytes));
    let start = hour(TAUGHT + 1);
    let below = play(&mut detectors.clone(), start, [at_once(3_999_999)]);
    assert_eq!(below, []);
    // Peaks are taken for a quarter of the floor at least, so that the limit is near the floor.
    let above = play(&mut detectors, start, [at_once(4_600_000)]);
    assert_eq!(ids(&above), ["bytes_out"]);
}

#[test]
fn the_more_spreads_it_takes_the_more_is_usual() {
    let rates = |spreads, bytes| {
        let mut settings = Settings::default();
        settings.bytes_out.thresholds.spreads = spreads;
        let mut detectors = Detectors::new(settings);
        teach(&mut detectors, SUBJECT, 0..TAUGHT + 1, |_| 3_000_000);
        let tick = observation(|it| sends_bytes(it, bytes));
        play(&mut detectors, hour(TAUGHT + 1), [tick]).len()
    };
    for (spreads, bytes, expected) in [
        (4, 12_500_000, 0),
        (4, 60_000_000, 1),
        (8, 60_000_000, 0),
        (8, 2_000_000_000, 1),
    ] {
        assert_eq!(rates(spreads, bytes), expected, "{bytes} at {spreads}");
    }
}

#[test]
fn one_theft_does_not_make_the_next_one_usual() {
    let mut detectors = default();
    teach(&mut detectors, SUBJECT, 0..TAUGHT, QUIET);
    let theft = |minute: u64| {
        if minute % 60 == 30 {
            500_000_000
        } else {
            10_000
        }
    };
    assert_eq!(
        ids(&teach(&mut detectors, SUBJECT, TAUGHT..TAUGHT + 1, theft))[0],
        "bytes_out"
    );
    teach(&mut detectors, SUBJECT, TAUGHT + 1..TAUGHT + 24, QUIET);
    let found = teach(&mut detectors, SUBJECT, TAUGHT + 24..TAUGHT + 25, theft);
    assert_eq!(ids(&found)[0], "bytes_out");
}

#[test]
fn replicas_share_what_is_usual_and_others_do_not() {
    let subject = |ifindex| Subject { ifindex, epoch: 1 };
    let mut detectors = default();
    detectors.name(subject(1), "shop/web");
    teach(&mut detectors, subject(1), 0..TAUGHT + 1, QUIET);
    detectors.name(subject(2), "shop/web");
    detectors.name(subject(3), "shop/db");
    for (ifindex, expected) in [(2, 1), (3, 0), (4, 0)] {
        let uploads = upload(15).map(|it| Observation {
            subject: subject(ifindex),
            ..it
        });
        let found = play(&mut detectors.clone(), hour(TAUGHT + 1), uploads);
        assert_eq!(found.len(), expected, "{ifindex}");
    }
    detectors.remove(subject(1), &mut Vec::new());
    assert_eq!(detectors.learned(subject(2)), HOUR * WEEK as u32);
}

#[test]
fn what_a_pod_learned_before_it_was_named_goes_with_its_name() {
    let mut detectors = default();
    teach(&mut detectors, SUBJECT, 0..TAUGHT + 1, QUIET);
    detectors.name(SUBJECT, "shop/web");
    assert_eq!(detectors.learned(SUBJECT), HOUR * WEEK as u32);
    let names: Vec<_> = detectors
        .baselines()
        .into_iter()
        .map(|it| it.workload)
        .collect();
    assert_eq!(names, ["shop/web"]);
}

#[test]
fn an_unnamed_pod_takes_what_it_learned_with_it() {
    let mut detectors = default();
    teach(&mut detectors, SUBJECT, 0..5, QUIET);
    assert_eq!(detectors.baselines().len(), 1);
    detectors.remove(SUBJECT, &mut Vec::new());
    assert_eq!(detectors.baselines(), []);
}

#[test]
fn hours_are_those_of_the_wall_wherever_time_begins() {
    let origin = Duration::from_secs(20_000 * 86_400 + 5 * 3600);
    let mut detectors = default();
    detectors.set_origin(origin);
    teach(&mut detectors, SUBJECT, 0..3, QUIET);
    let baselines = detectors.baselines();
    let series = &baselines[0].flows["bytes_sent"];
    let learned: Vec<_> = (0..24)
        .filter(|&hour| series.hours[hour].numbers > 0)
        .collect();
    assert_eq!(learned, [6]);
    assert_eq!(series.latest_hour, 20_000 * 24 + 6);
}

#[test]
fn an_hour_that_was_not_watched_to_its_end_teaches_nothing() {
    let mut detectors = default();
    teach(&mut detectors, SUBJECT, 0..3, QUIET);
    teach(&mut detectors, SUBJECT, 9..11, QUIET);
    let baselines = detectors.baselines();
    let series = &baselines[0].flows["bytes_sent"];
    // Of the hours 0 and 9 nobody saw the beginning, of 2 nobody the end, and 10 goes on.
    assert_eq!(series.learned_hours, 1);
}

#[test]
fn for_a_quiet_pod_each_floor_is_what_is_unusual_and_one_below_is_not() {
    let floors: [(&str, u64, Fill); 10] = [
        ("syn_flood", 1000, |it, n| initiates(it, Class::Syn, n)),
        ("syn_flood", 1000, |it, n| {
            counts(it, Count::Probes, n);
            receives(it, VolumeClass::Tcp, n);
        }),
        ("udp_flood", 2000, |it, n| initiates(it, Class::Udp, n)),
        ("udp_flood", 2000, |it, n| {
            counts(it, Count::Probes, n);
            receives(it, VolumeClass::Udp, n);
        }),
        ("icmp_flood", 200, |it, n| initiates(it, Class::Echo, n)),
        ("icmp_flood", 200, |it, n| {
            counts(it, Count::EchoesReceived, n)
        }),
        ("ack_flood", 200, |it, n| initiates(it, Class::StrayAck, n)),
        ("ack_flood", 200, |it, n| counts(it, Count::ResetsSent, n)),
        ("bytes_out", 1 << 20, sends_bytes),
        ("bytes_in", 8 << 20, |it, n| it.received[0].bytes += n),
    ];
    let mut settings = Settings::default();
    settings.syn_flood.thresholds.learning = DAY;
    settings.udp_flood.thresholds.learning = DAY;
    settings.icmp_flood.thresholds.learning = DAY;
    settings.ack_flood.thresholds.learning = DAY;
    settings.bytes_out.thresholds.learning = DAY;
    settings.bytes_in.thresholds.learning = DAY;
    let mut learned = Detectors::new(settings);
    teach(&mut learned, SUBJECT, 0..26, |_| 0);
    for (detector, floor, fill) in floors {
        let found = |count: u64| {
            // Seconds apart, so that the ceiling is far.
            let pause = std::iter::repeat_n(observation(|_| {}), 30);
            let first = observation(|it| fill(it, count / 2));
            let second = observation(|it| fill(it, count - count / 2));
            let observations = std::iter::once(first).chain(pause).chain([second]);
            play(&mut learned.clone(), hour(26), observations)
        };
        assert_eq!(found(floor - 1), [], "{detector}");
        // Four times a quarter of the floor and a little more: one is added to each count.
        let found = found(floor + 5);
        assert_eq!(ids(&found), [detector]);
        assert!(found[0].severity <= Severity::Medium);
    }
}

#[test]
fn more_bytes_received_than_usual_is_worth_a_look_some_day() {
    let mut detectors = default();
    teach(&mut detectors, SUBJECT, 0..TAUGHT + 1, QUIET);
    let download = observation(|it| it.received[VolumeClass::Tcp as usize].bytes = 20_000_000);
    let found = play(&mut detectors, hour(TAUGHT + 1), [download]);
    assert_eq!(ids(&found), ["bytes_in"]);
    assert_eq!(found[0].severity, Severity::Low);
    assert_eq!(found[0].attack_ids, ["T1105"]);
}
