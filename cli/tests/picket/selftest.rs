//! How the scan of itself went that every agent is asked for.

use std::time::{Duration, SystemTime};

use api::v1::{
    Canary, CoverageState, Event, EventId, Node, NodeStatus, PodCoverage, subscribe_response::Item,
};

use crate::{
    process::{Running, run},
    server::{Kind, Log, Server},
};

fn node(name: &str, canary: Option<Canary>) -> Node {
    let pod = |state: CoverageState| PodCoverage {
        state: state.into(),
        ..PodCoverage::default()
    };
    Node {
        name: name.to_owned(),
        connected: true,
        status: Some(NodeStatus {
            canary,
            pods: vec![
                pod(CoverageState::Covered),
                pod(CoverageState::Covered),
                pod(CoverageState::NotAttached),
            ],
            ..NodeStatus::default()
        }),
        ..Node::default()
    }
}

fn canary(second: u64, found: bool) -> Option<Canary> {
    let at = SystemTime::UNIX_EPOCH + Duration::from_secs(second);
    Some(Canary {
        at: Some(at.into()),
        found,
        delay: found.then_some(api::v1::Duration {
            seconds: 0,
            nanos: 2_000_000,
        }),
        packets_sent: 32,
        packets_counted: if found { 32 } else { 0 },
        packets_sent_back: 32,
        packets_counted_back: 32,
        reason: if found { "" } else { "none was counted" }.to_owned(),
    })
}

/// What the agent of a node tells of the test that was asked for last.
fn event(log: &Log, node: &str) -> Item {
    let id = log.tests().pop().unwrap();
    Item::Event(Event {
        id: Some(EventId {
            node: node.to_owned(),
            ..EventId::default()
        }),
        detector: "canary".to_owned(),
        anomaly_id: format!("{node}/1/selftest/{id}"),
        // Of another clock, which is ahead.
        first_seen: Some((SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 33)).into()),
        ..Event::default()
    })
}

#[tokio::test]
async fn a_scan_counts_that_is_new_and_whose_event_came() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let all =
        |second, n2| ["n1", "n2", "n3"].map(|name| node(name, canary(second, name != "n2" || n2)));
    log.set_nodes(all(1, true).into());
    let mut selftest =
        Running::start(&["selftest", "--timeout", "3s", "--server", &server.address]);
    let waiting = selftest.error_line().await;
    assert!(waiting.contains("waiting"), "{waiting}");
    log.set_nodes(all(2, false).into());
    for node in ["n1", "n2"] {
        log.append(event(&log, node));
    }
    assert!(selftest.line().await.starts_with("NODE  SCAN "));
    for expected in [
        "n1    found                    0.002000s  0.000000s    32/32    32/32  2 covered, 1 not attached",
        "n2    SILENT                   -          0.000000s    0/32     32/32  2 covered, 1 not attached  none was counted",
        "n3    found, but no event came  0.002000s  -            32/32    32/32  2 covered, 1 not attached",
    ] {
        let line = selftest.line().await;
        let (line, expected): (Vec<_>, Vec<_>) = (
            line.split_whitespace().collect(),
            expected.split_whitespace().collect(),
        );
        assert_eq!(line, expected);
    }
    assert!(selftest.error_line().await.contains("2 node(s)"));
}

/// It scans itself all the same, once a minute.
#[tokio::test]
async fn without_anybody_to_ask_the_next_scan_counts() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Agent);
    let server = Server::start(&directory.path().join("s"), &log).await;
    log.set_nodes(vec![node("n1", canary(1, true))]);
    let mut selftest = Running::start(&["selftest", "--server", &server.address]);
    selftest.error_line().await;
    log.set_nodes(vec![node("n1", canary(2, true))]);
    assert!(selftest.line().await.starts_with("NODE  SCAN   DELAY"));
    let found = selftest.line().await;
    assert!(found.starts_with("n1    found  0.002000s  -"), "{found}");
}

#[tokio::test]
async fn a_node_that_does_not_scan_is_no_success() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let arguments = [
        "selftest",
        "--json",
        "--timeout",
        "1ms",
        "--server",
        &server.address,
    ];
    for (nodes, expected) in [
        (vec![], "no agent is connected"),
        (vec![node("n1", None)], r#""result":"not_tested""#),
        (vec![node("n1", canary(1, true))], r#""result":"no_scan""#),
    ] {
        log.set_nodes(nodes);
        let output = run(&arguments).await;
        assert_eq!(output.status.code(), Some(1), "{expected}");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(said.contains(expected), "{said}");
    }
}
