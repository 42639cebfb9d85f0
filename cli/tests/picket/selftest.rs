//! How every agent's next scan of itself went.

use std::time::{Duration, SystemTime};

use api::v1::{Canary, CoverageState, Node, NodeStatus, PodCoverage};

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
        reason: if found { "" } else { "none was counted" }.to_owned(),
    })
}

#[tokio::test]
async fn only_scans_that_are_new_count() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    log.set_nodes(vec![
        node("n1", canary(1, true)),
        node("n2", canary(1, true)),
    ]);
    let mut selftest = Running::start(&["selftest", "--server", &server.address]);
    let waiting = selftest.error_line().await;
    assert!(waiting.contains("waiting"), "{waiting}");
    log.set_nodes(vec![
        node("n1", canary(2, true)),
        node("n2", canary(2, false)),
    ]);
    assert!(selftest.line().await.starts_with("NODE  SCAN    DELAY"));
    let found = selftest.line().await;
    assert_eq!(
        found,
        "n1    found   0.002000s  32/32    2 covered, 1 not attached"
    );
    let silent = selftest.line().await;
    assert!(
        silent.starts_with("n2    SILENT  -          0/32"),
        "{silent}"
    );
    assert!(selftest.error_line().await.contains("1 node(s)"));
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
