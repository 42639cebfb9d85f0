//! New events as they come, through whatever happens to the server and the reader.

use std::time::{Duration, Instant, SystemTime};

use api::v1::{EventId, Gap, Lost, Severity, subscribe_response::Item};
use tonic::Status;

use crate::{
    process::{Running, run},
    server::{Kind, Log, Server, event},
};

/// Starts to follow, and returns once the first event has come: nothing is missed after that.
async fn follow(log: &Log, server: &Server, options: &[&str]) -> Running {
    let arguments = [
        &["events", "--follow", "--server", &server.address],
        options,
    ]
    .concat();
    let mut picket = Running::start(&arguments);
    while log.filters().is_empty() {
        tokio::task::yield_now().await;
    }
    log.append(Item::Event(event(1)));
    assert!(picket.line().await.ends_with("event 1"));
    picket
}

async fn expect(picket: &mut Running, sequences: impl IntoIterator<Item = u64>) {
    for sequence in sequences {
        let line = picket.line().await;
        assert!(line.ends_with(&format!("  event {sequence}")), "{line}");
    }
}

#[tokio::test]
async fn the_past_asked_for_comes_first() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    for sequence in 1..=3 {
        log.append(Item::Event(event(sequence)));
    }
    for (options, first) in [(["--since", "1h"], 1), (["--after", "2"], 3)] {
        let arguments = ["events", "--follow", "--server", &server.address];
        let mut picket = Running::start(&[&arguments[..], &options].concat());
        expect(&mut picket, first..=3).await;
        log.append(Item::Event(event(4)));
        expect(&mut picket, [4]).await;
        // The next case starts from the same log.
        log.truncate(3);
    }
}

#[tokio::test]
async fn a_server_that_comes_back_is_resumed_without_loss_or_duplicate() {
    for kind in [Kind::Collector, Kind::Agent] {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let log = Log::of(kind);
        let server = Server::start(&path, &log).await;
        let mut picket = follow(&log, &server, &[]).await;

        server.stop().await;
        let note = picket.error_line().await;
        assert!(note.contains("trying again until it is back"), "{note}");
        for sequence in 2..=5 {
            log.append(Item::Event(event(sequence)));
        }
        let server = Server::start(&path, &log).await;
        assert_eq!(picket.error_line().await, "picket: the server is back");
        expect(&mut picket, 2..=5).await;
        log.append(Item::Event(event(6)));
        expect(&mut picket, [6]).await;

        picket.interrupt().await;
        let (status, rest, errors) = picket.end().await;
        assert_eq!(
            (status.code(), rest.as_str(), errors.as_str()),
            (Some(0), "", "")
        );
        server.stop().await;
    }
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the pauses are what is tested")]
async fn a_log_that_cannot_be_read_is_asked_less_and_less() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::damaged(Status::internal("\x1b[2J\u{202e}damaged"));
    let server = Server::start(&directory.path().join("s"), &log).await;
    let start = Instant::now();
    let mut picket = Running::start(&["events", "--follow", "--server", &server.address]);
    for _ in 0..4 {
        let note = picket.error_line().await;
        assert!(
            note.contains("failed: \u{fffd}[2J\u{fffd}damaged"),
            "{note}"
        );
        assert_eq!(picket.error_line().await, "picket: the server is back");
    }
    let pauses = Duration::from_millis(100 + 200 + 400 + 800);
    assert!(start.elapsed() >= pauses, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_log_that_is_another_one_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let log = Log::of(Kind::Collector);
    let server = Server::start(&path, &log).await;
    let picket = follow(&log, &server, &[]).await;

    server.stop().await;
    let server = Server::start(&path, &Log::of(Kind::Collector)).await;

    let (status, _, errors) = picket.end().await;
    assert_eq!(status.code(), Some(1));
    let expected = format!(
        "error: cannot go on after that cursor at {}: cursor 1 is beyond 0; start again without \
         --after",
        server.address
    );
    assert_eq!(errors.lines().last(), Some(expected.as_str()));
}

#[tokio::test]
async fn gaps_are_shown_at_their_place() {
    let small = Gap {
        events: 1,
        reason: "the ring is full".to_owned(),
        ..Gap::default()
    };
    let large = Gap {
        events: 7,
        reason: "the spool was full".to_owned(),
        node: "n1".to_owned(),
        id: Some(EventId {
            node: "n1".to_owned(),
            epoch: 1_799_999_999_123_456_789,
            sequence: 5,
        }),
        last_sequence: 20,
        lost: vec![Lost {
            severity: Severity::Low.into(),
            events: 7,
        }],
        merged_updates: 2,
        first_raised_at: Some(SystemTime::UNIX_EPOCH.into()),
        ..Gap::default()
    };
    let cases: [(&[&str], [&str; 2]); 2] = [
        (
            &[],
            [
                "-- 1 event is missing here: the ring is full",
                "-- 7 events are missing here, and 2 updates that later ones replaced, of node n1: the spool was full",
            ],
        ),
        (
            &["--json"],
            [
                concat!(
                    r#"{"kind":"gap","id":null,"cursor":1,"node":"","events":1,"last_sequence":0,"lost":[],"#,
                    r#""merged_updates":0,"first_raised_at":null,"last_raised_at":null,"reason":"the ring is full"}"#,
                ),
                concat!(
                    r#"{"kind":"gap","id":{"node":"n1","epoch":"1799999999123456789","sequence":5},"cursor":3,"#,
                    r#""node":"n1","events":7,"last_sequence":20,"lost":[{"severity":"low","events":7}],"#,
                    r#""merged_updates":2,"first_raised_at":"1970-01-01T00:00:00.000000000Z","#,
                    r#""last_raised_at":null,"reason":"the spool was full"}"#,
                ),
            ],
        ),
    ];
    for (options, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let log = Log::of(Kind::Collector);
        let server = Server::start(&directory.path().join("s"), &log).await;
        log.append(Item::Gap(small.clone()));
        log.append(Item::Event(event(1)));
        log.append(Item::Gap(large.clone()));
        let arguments = ["events", "-f", "--after", "0", "--server", &server.address];
        let mut picket = Running::start(&[&arguments[..], options].concat());

        assert_eq!(picket.line().await, expected[0]);
        assert!(picket.line().await.contains("event 1"));
        assert_eq!(picket.line().await, expected[1]);
    }
}

#[tokio::test]
async fn the_limit_ends_it() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let picket = follow(&log, &server, &["--limit", "2"]).await;

    log.append(Item::Event(event(2)));

    let (status, rest, errors) = picket.end().await;
    assert!(rest.ends_with("event 2\n"), "{rest}");
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_reader_that_leaves_ends_it_without_waiting_for_an_event() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let mut picket = follow(&log, &server, &[]).await;

    picket.close_stdout();

    let (status, _, errors) = picket.end().await;
    assert_eq!((status.code(), errors.as_str()), (Some(0), ""));
}

#[tokio::test]
async fn a_server_that_was_never_there_is_an_error() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", directory.path().join("s").display());

    let output = run(&["events", "--follow", "--server", &address]).await;

    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8_lossy(&output.stderr);
    let expected = format!("error: cannot connect to {address}: No such file");
    assert!(errors.starts_with(&expected), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
}
