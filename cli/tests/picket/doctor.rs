//! What is wrong with any node, and what to do about it.

use std::time::{Duration, SystemTime};

use api::v1::{Canary, Finding, Node, NodeStatus, PolicyStatus, Verdict};

use crate::{
    process::{answer, run},
    server::{Kind, Log, Server},
};

/// Seen in the future, which is no time ago whenever the test runs.
fn node(name: &str, findings: Vec<Finding>) -> Node {
    let seen = SystemTime::UNIX_EPOCH + Duration::from_secs(9_000_000_000);
    Node {
        name: name.to_owned(),
        connected: true,
        last_seen: Some(seen.into()),
        agent_version: env!("CARGO_PKG_VERSION").to_owned(),
        status: Some(NodeStatus {
            findings,
            ..NodeStatus::default()
        }),
        ..Node::default()
    }
}

fn finding(check: &str, verdict: Verdict, found: &str, remedy: &str) -> Finding {
    Finding {
        check: check.to_owned(),
        verdict: verdict.into(),
        found: found.to_owned(),
        remedy: remedy.to_owned(),
    }
}

#[tokio::test]
async fn what_failed_comes_first_with_what_to_do_and_exits_with_1() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let arguments = ["doctor", "--server", &server.address];
    let well = || finding("kernel", Verdict::Ok, "Linux 6.18", "");
    log.set_nodes(vec![node("n1", vec![well()])]);
    assert_eq!(
        answer(&arguments).await,
        "4 ok, 0 warning(s), 0 failed, 0 unknown\n"
    );
    let all = answer(&[&arguments[..], &["--all"]].concat()).await;
    assert!(
        all.contains("ok       n1    kernel     Linux 6.18\n"),
        "{all}"
    );

    let late = Canary {
        at: Some(SystemTime::UNIX_EPOCH.into()),
        found: true,
        ..Canary::default()
    };
    let mut n1 = node(
        "n1",
        vec![
            finding("bpf_jit", Verdict::Warning, "interpreted", "sysctl it"),
            finding("pods", Verdict::Unspecified, "cannot tell", ""),
        ],
    );
    n1.clock_ahead = Some(api::v1::Duration {
        seconds: -3,
        nanos: -500_000_000,
    });
    let status = n1.status.as_mut().unwrap();
    status.canary = Some(late);
    status.policy = Some(PolicyStatus {
        revision: "a".to_owned(),
        error: "cannot use it".to_owned(),
        ..PolicyStatus::default()
    });
    let mut n2 = node("n2", vec![]);
    n2.connected = false;
    n2.agent_version = "9.9.9".to_owned();
    n2.last_seen = Some(SystemTime::UNIX_EPOCH.into());
    log.set_nodes(vec![n1, n2]);
    log.set_policy(PolicyStatus {
        revision: "a".to_owned(),
        error: "detectors.yaml:3: no".to_owned(),
        ..PolicyStatus::default()
    });
    let output = run(&arguments).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[1].starts_with("failed   -     policy"), "{text}");
    assert!(
        lines[2].starts_with("failed   n1    policy    cannot use it"),
        "{text}"
    );
    assert!(lines[3].starts_with("failed   n1    canary"), "{text}");
    assert!(
        lines[4].starts_with("failed   n2    agent     away for "),
        "{text}"
    );
    for expected in [
        "warning  -     versions  agents are of 0.1.0, 9.9.9, picket of 0.1.0",
        "warning  n1    bpf_jit   interpreted",
        "warning  n1    clock     3.500 s behind the collector's",
        "unknown  n1    pods      cannot tell",
        "  bpf_jit: sysctl it",
        "2 ok, 3 warning(s), 4 failed, 1 unknown",
    ] {
        assert!(lines.contains(&expected), "{expected}: {text}");
    }
    let output = run(&[&arguments[..], &["--json", "--node", "n2"]].concat()).await;
    let text = String::from_utf8(output.stdout).unwrap();
    let line = text.lines().last().unwrap();
    let expected =
        r#"{"kind":"finding","node":"n2","check":"agent","verdict":"failed","found":"away for "#;
    assert!(line.starts_with(expected), "{text}");
}

#[tokio::test]
async fn a_collector_that_is_away_is_a_finding() {
    let directory = tempfile::tempdir().unwrap();
    let address = format!("unix:{}", directory.path().join("none").display());
    let output = run(&["doctor", "--server", &address]).await;
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("failed   -     collector"), "{text}");
}
