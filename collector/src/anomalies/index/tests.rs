//! How anomalies come together from the events of the log, and what is found among them.

use super::{super::select::Wanted, *};

fn at(seconds: i64) -> Option<v1::Timestamp> {
    Some(v1::Timestamp { seconds, nanos: 0 })
}

fn pod(namespace: &str, pod: &str) -> v1::Endpoint {
    v1::Endpoint {
        namespace: namespace.into(),
        pod: pod.into(),
        address: "10.0.0.1".into(),
        ..Default::default()
    }
}

fn event(cursor: u64, id: &str, state: v1::State) -> v1::Event {
    v1::Event {
        id: Some(v1::EventId {
            node: "n1".into(),
            epoch: 7,
            sequence: cursor,
        }),
        cursor,
        anomaly_id: id.into(),
        state: state.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: at(1000 + i64::try_from(cursor).unwrap()),
        crossed_at: at(1000),
        source: Some(pod("blue", "app1")),
        targets: vec![v1::Target {
            endpoint: Some(pod("red", "db")),
            ..Default::default()
        }],
        summary: format!("blue/app1 scanned red/db: {id} Übung"),
        ..Default::default()
    }
}

fn said(cursor: u64, id: &str, kind: v1::TriageKind) -> v1::Event {
    let mut event = event(cursor, "@collector/1/triage/1", v1::State::Opened);
    event.id.get_or_insert_default().node = COLLECTOR.into();
    event.detector = TRIAGE.into();
    event.triage = Some(v1::Triage {
        anomaly_id: id.into(),
        kind: kind.into(),
        assignee: "anna".into(),
        ..Default::default()
    });
    event
}

fn index(events: impl IntoIterator<Item = v1::Event>) -> Index {
    let mut index = Index::default();
    for event in events {
        index.take_in(&event);
    }
    index
}

fn wanted(filter: v1::AnomalyFilter) -> Wanted {
    Wanted {
        filter,
        namespaces: None,
        offset: 0,
        limit: 10,
    }
}

fn ids(index: &Index, wanted: &Wanted) -> Vec<String> {
    let found = index.select(wanted).response.anomalies;
    found.into_iter().map(|it| it.id).collect()
}

#[test]
fn all_events_of_one_are_one_anomaly_with_what_people_made_of_it() {
    use v1::{State, TriageKind};
    let index = index([
        event(1, "a", State::Opened),
        said(2, "a", TriageKind::Acknowledged),
        said(3, "a", TriageKind::Assigned),
        event(4, "a", State::Updated),
        said(5, "unknown", TriageKind::Resolved),
    ]);
    let found = index.select(&wanted(v1::AnomalyFilter::default()));
    let [anomaly] = &found.response.anomalies[..] else {
        panic!("{:?}", found.response.anomalies);
    };
    assert_eq!(anomaly.state(), v1::AnomalyState::Open);
    assert_eq!(anomaly.triage(), v1::TriageState::Acknowledged);
    assert_eq!((anomaly.events, anomaly.notes), (2, 2));
    assert_eq!(anomaly.assignee, "anna");
    assert_eq!(
        (anomaly.opened_at, anomaly.updated_at),
        (at(1000), at(1004))
    );
    assert_eq!(found.cursors, [4]);
    let told = index.details("a", None, 9).unwrap();
    assert_eq!((told.own, told.said), (vec![1, 4], vec![2, 3]));
}

#[test]
fn an_agent_that_says_what_a_person_made_of_it_is_not_believed() {
    let mut forged = said(2, "a", v1::TriageKind::Resolved);
    forged.id.get_or_insert_default().node = "n1".into();
    let index = index([event(1, "a", v1::State::Opened), forged]);
    assert_eq!(index.find("a").unwrap().triage, v1::TriageState::New);
    assert_eq!(index.count().0, 1);
}

#[test]
fn open_ones_come_first_then_the_most_severe_then_the_latest() {
    use v1::State::{Closed, Opened};
    let mut low = event(4, "low", Opened);
    low.severity = v1::Severity::Low.into();
    let index = index([
        event(1, "closed", Closed),
        event(2, "early", Opened),
        event(3, "late", Opened),
        low,
    ]);
    let mut wanted = wanted(v1::AnomalyFilter::default());
    assert_eq!(ids(&index, &wanted), ["late", "early", "low", "closed"]);
    (wanted.offset, wanted.limit) = (1, 2);
    assert_eq!(ids(&index, &wanted), ["early", "low"]);
    let found = index.select(&wanted).response;
    assert_eq!((found.matching, found.open), (4, 3));
    (wanted.offset, wanted.limit) = (usize::MAX, usize::MAX);
    assert!(ids(&index, &wanted).is_empty());
}

#[test]
fn every_set_field_of_a_filter_must_match() {
    let mut shadow = event(2, "shadow", v1::State::Opened);
    shadow.shadow = true;
    let mut part = event(3, "part", v1::State::Closed);
    part.correlated_into = "whole".into();
    let index = index([event(1, "one", v1::State::Opened), shadow, part]);
    type Set = fn(&mut v1::AnomalyFilter);
    let cases: [(&str, Set, &[&str]); 14] = [
        ("nothing", |_| {}, &["one", "part"]),
        (
            "shadow",
            |it| it.include_shadow = true,
            &["shadow", "one", "part"],
        ),
        ("no parts", |it| it.exclude_correlated = true, &["one"]),
        (
            "namespace",
            |it| it.namespaces = vec!["blue".into()],
            &["one", "part"],
        ),
        ("target's", |it| it.namespaces = vec!["red".into()], &[]),
        ("pod", |it| it.pods = vec!["app1".into()], &["one", "part"]),
        ("unknown node", |it| it.nodes = vec!["n9".into()], &[]),
        ("assignee", |it| it.assignees = vec!["anna".into()], &[]),
        ("open", |it| it.states = vec![1], &["one"]),
        ("triage", |it| it.triage = vec![3], &[]),
        ("text", |it| it.text = "SCANNED red/DB: o".into(), &["one"]),
        ("umlauts", |it| it.text = "ÜBUNG".into(), &["one", "part"]),
        (
            "since",
            |it| {
                it.since = Some(v1::Timestamp {
                    seconds: 1003,
                    nanos: 0,
                })
            },
            &["part"],
        ),
        (
            "until",
            |it| {
                it.until = Some(v1::Timestamp {
                    seconds: 1000,
                    nanos: 0,
                })
            },
            &[],
        ),
    ];
    for (case, set, expected) in cases {
        let mut filter = v1::AnomalyFilter::default();
        set(&mut filter);
        assert_eq!(ids(&index, &wanted(filter)), expected, "{case}");
    }
}

#[test]
fn who_sees_some_namespaces_sees_no_count_of_others() {
    let mut red = event(2, "red", v1::State::Opened);
    red.source = Some(pod("red", "db"));
    let index = index([event(1, "blue", v1::State::Opened), red]);
    let blue = Wanted {
        namespaces: Some(vec!["blue".into(), "nowhere".into()]),
        ..wanted(v1::AnomalyFilter::default())
    };
    assert_eq!(ids(&index, &blue), ["blue"]);
    let facets = index.select(&blue).response.facets;
    let of = |field: &str| {
        let facets = facets.iter().filter(|it| it.field == field && it.count > 0);
        let facets = facets.map(|it| (it.value.clone(), it.count));
        facets.collect::<Vec<_>>()
    };
    assert_eq!(of("namespace"), [("blue".to_owned(), 1)]);
    assert_eq!(of("severity"), [("high".to_owned(), 1)]);
    assert_eq!(of("state"), [("open".to_owned(), 1)]);
    assert!(index.details("red", blue.namespaces.as_deref(), 9).is_err());
    let told = index
        .details("blue", blue.namespaces.as_deref(), 9)
        .unwrap();
    assert!(told.related.is_empty(), "it is of another namespace");
    assert_eq!(index.details("blue", None, 9).unwrap().related.len(), 1);
}

#[test]
fn an_agent_that_starts_anew_leaves_nothing_open() {
    let mut anew = event(2, "new", v1::State::Opened);
    anew.id.get_or_insert_default().epoch = 8;
    let mut late = event(3, "late", v1::State::Opened);
    let index_of = index([event(1, "old", v1::State::Opened), anew, late.clone()]);
    let open: Vec<_> = index_of.open().map(|it| it.id.to_string()).collect();
    assert_eq!(
        open,
        ["new"],
        "also of what was spooled before and came late"
    );
    assert_eq!(
        index_of.find("old").unwrap().closed_at,
        Some(1_002_000_000_000)
    );
    late.id.get_or_insert_default().node = "n2".into();
    let other = index([event(1, "old", v1::State::Opened), late]);
    assert_eq!(other.open().count(), 2, "another node's is");
}

#[test]
fn what_is_closed_and_oldest_makes_room_and_is_counted() {
    let mut index = Index::with(Bounds {
        anomalies: 3,
        ..Bounds::default()
    });
    for (cursor, id) in (1..).zip(["open", "b", "c", "d", "e"]) {
        let state = match id {
            "open" => v1::State::Opened,
            _ => v1::State::Closed,
        };
        index.take_in(&event(cursor, id, state));
    }
    let mut left: Vec<_> = index.all().map(|it| it.id.to_string()).collect();
    left.sort();
    assert_eq!(
        (left, index.forgotten),
        (vec!["d".into(), "e".into(), "open".into()], 2)
    );
    index.remove_through(4);
    assert_eq!(index.all().count(), 1, "retention takes open ones too");
    index.remove_through(9);
    assert_eq!((index.count(), index.bytes), ((0, 0), 0));
    assert!(index.names.find("blue").is_none());
}

#[test]
fn events_without_end_of_one_anomaly_take_bounded_room() {
    let mut index = Index::default();
    for cursor in 1..=1000 {
        let mut event = event(cursor, "a", v1::State::Updated);
        event.summary = "x".repeat(32 << 10);
        index.take_in(&event);
        index.take_in(&said(cursor + 1000, "a", v1::TriageKind::Noted));
    }
    let told = index.details("a", None, 0).unwrap();
    assert_eq!((told.own.len(), told.said.len()), (256, 256));
    assert_eq!(
        (told.own[127], told.own[128], told.own[255]),
        (128, 873, 1000)
    );
    assert!(index.bytes < 16 << 10, "{}", index.bytes);
}

#[test]
fn what_was_done_is_told_of_the_anomaly_it_answers_or_of_the_pods() {
    let act = |cursor, anomaly: &str| v1::Event {
        detector: CONTAINMENT.into(),
        action: Some(v1::Action {
            anomaly_id: anomaly.into(),
            ..Default::default()
        }),
        ..event(cursor, "n1/7/containment/1", v1::State::Opened)
    };
    let index = index([
        event(1, "a", v1::State::Opened),
        act(2, "a"),
        act(3, ""),
        act(4, "b"),
    ]);
    assert_eq!(index.details("a", None, 0).unwrap().actions, [2, 3]);
    assert_eq!(index.count().0, 1);
}

#[test]
fn a_hundred_thousand_are_searched_in_the_blink_of_an_eye() {
    let mut index = Index::default();
    for cursor in 1..=100_000 {
        let state = if cursor % 10 == 0 {
            v1::State::Opened
        } else {
            v1::State::Closed
        };
        let mut event = event(cursor, &format!("n1/7/1.1/port_scan/{cursor}"), state);
        event.source = Some(pod(&format!("ns{}", cursor % 100), &format!("app{cursor}")));
        index.take_in(&event);
    }
    let filter = v1::AnomalyFilter {
        text: "port_scan/99999".into(),
        ..Default::default()
    };
    #[expect(clippy::disallowed_methods, reason = "it is a measurement")]
    let start = std::time::Instant::now();
    let found = index.select(&wanted(filter));
    let took = start.elapsed();
    assert_eq!(found.response.matching, 1);
    println!("searched in {took:?}, {} bytes", index.bytes);
    // Unoptimized, on a busy machine; optimized it takes a tenth of that.
    assert!(took.as_secs() < 5, "{took:?}");
}
