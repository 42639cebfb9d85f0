//! Whether a policy can be used, and which one is in force where.

use std::fs;

use api::v1::{ExceptionHits, Node, NodeStatus, PolicyStatus};

use crate::{
    process::{answer, run},
    server::{Kind, Log, Server},
};

#[tokio::test]
async fn every_line_that_cannot_be_used_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("detectors.yaml");
    let path = file.to_str().unwrap();
    fs::write(&file, "silence: 0s\ndetectors:\n  scan: {}\n").unwrap();
    let output = run(&["config", "validate", path]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(lines[0].starts_with(&format!("{path}:1: silence = `0s`: it takes")));
    assert!(lines[1].starts_with(&format!("{path}:3: detectors.scan: there is no such")));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(
        errors.starts_with("error: ") && errors.contains("2 line(s)"),
        "{errors}"
    );

    fs::write(
        &file,
        "kind: ConfigMap\ndata:\n  detectors.yaml: |\n    silence: 1s\n    scopes:\n    - {}\n    - {}\n",
    )
    .unwrap();
    let output = run(&["config", "validate", path]).await;
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with(&format!("{path}:7: scopes[1]")), "{said}");

    fs::write(&file, "silence: 1s\n").unwrap();
    assert_eq!(
        answer(&["config", "validate", path]).await,
        format!("{path}: can be used; scopes: 0, exceptions: 0, containment: propose\n")
    );
    let output = run(&["config", "validate", "/nowhere/x.yaml"]).await;
    assert_eq!(output.status.code(), Some(2));
}

fn node(name: &str, policy: Option<PolicyStatus>) -> Node {
    Node {
        name: name.to_owned(),
        status: policy.map(|policy| NodeStatus {
            policy: Some(policy),
            ..NodeStatus::default()
        }),
        ..Node::default()
    }
}

#[tokio::test]
async fn what_is_in_force_where_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let server = Server::start(&directory.path().join("s"), &log).await;
    let told = |revision: &str| PolicyStatus {
        revision: revision.to_owned(),
        name: "/etc/picket/detectors.yaml".to_owned(),
        ..PolicyStatus::default()
    };
    log.set_policy(told("0123456789abcdef"));
    let hit = ExceptionHits {
        name: "nightly".to_owned(),
        hits: 3,
    };
    log.set_nodes(vec![
        node(
            "n1",
            Some(PolicyStatus {
                exceptions: vec![hit],
                ..told("0123456789abcdef")
            }),
        ),
        node("n2", Some(told("fedcba9876543210"))),
        node(
            "n3",
            Some(PolicyStatus {
                error: "cannot use x".to_owned(),
                ..PolicyStatus::default()
            }),
        ),
        node("n4", None),
    ]);
    let expected = "\
The collector tells 0123456789ab of /etc/picket/detectors.yaml.

NODE  IN FORCE      STATE
n1    0123456789ab  up to date
n2    fedcba987654  not what the collector tells now
n3    its own       cannot use x
n4    -             it has not said
";
    let arguments = ["config", "show", "--server", &server.address];
    assert_eq!(answer(&arguments).await, expected);
    let one = answer(&[&arguments[..], &["--node", "n1"]].concat()).await;
    assert!(
        one.ends_with("n1: exceptions\n  NAME     HITS\n  nightly  3\n"),
        "{one}"
    );
    let machines = answer(&[&arguments[..], &["--node", "n1", "--json"]].concat()).await;
    let lines: Vec<_> = machines.lines().collect();
    assert_eq!(
        lines,
        [
            r#"{"kind":"collector_policy","node":null,"policy":{"revision":"0123456789abcdef","name":"/etc/picket/detectors.yaml","error":"","exceptions":[]}}"#,
            r#"{"kind":"node_policy","node":"n1","policy":{"revision":"0123456789abcdef","name":"/etc/picket/detectors.yaml","error":"","exceptions":[{"name":"nightly","hits":3}]}}"#
        ]
    );
    let output = run(&[&arguments[..], &["--node", "n9"]].concat()).await;
    assert_eq!(output.status.code(), Some(1));
}
