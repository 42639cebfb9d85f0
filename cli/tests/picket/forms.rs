//! Every command that prints what a server knows prints it in every form.

use std::time::Duration;

use api::{
    transport::Listen,
    v1::{Endpoint, Event, Severity, State, subscribe_response::Item},
};
use serde_json::Value;

use crate::{
    process::{Running, answer, run},
    server::{Kind, Log, Server, event},
    told::{ID, Told, serve},
};

fn of(namespace: &str, pod: &str, sequence: u64) -> Event {
    Event {
        detector: "port_scan".into(),
        severity: Severity::High.into(),
        state: State::Opened.into(),
        source: Some(Endpoint {
            namespace: namespace.into(),
            pod: pod.into(),
            uid: "u-1".into(),
            ..Endpoint::default()
        }),
        ..event(sequence)
    }
}

#[tokio::test]
async fn json_and_yaml_say_the_same_and_wide_says_more() {
    let (_folder, server) = serve(&Told::default()).await;
    for command in [
        &["anomalies"][..],
        &["explain", ID],
        &["graph"],
        &["detectors"],
        &["status"],
        &["doctor"],
        &["config", "show"],
    ] {
        let print = async |options: &[&str]| {
            answer(&[&["--server", &server], command, options].concat()).await
        };
        let json = print(&["-o", "json"]).await;
        assert_eq!(print(&["--json"]).await, json, "{command:?}");
        let yaml = print(&["-o", "yaml"]).await;
        let read: Vec<Value> = serde_saphyr::from_multiple(&yaml).unwrap();
        let lines = json.lines().map(serde_json::from_str::<Value>);
        let lines: Vec<_> = lines.collect::<Result<_, _>>().unwrap();
        assert_eq!(read, lines, "{command:?}: {yaml}");
        let (compact, wide) = (print(&[]).await, print(&["-o", "wide"]).await);
        assert!(wide.len() >= compact.len(), "{command:?}: {wide}");
    }
}

#[tokio::test]
async fn events_are_narrowed_counted_from_the_end_and_followed_from_there() {
    let directory = tempfile::tempdir().unwrap();
    let log = Log::of(Kind::Collector);
    let listen = Listen::Unix(directory.path().join("s"));
    let server = Server::listening(listen, api::transport::Reception::default(), &log).await;
    for sequence in 1..=6 {
        let pod = format!("web-{sequence}");
        let namespace = if sequence % 2 == 0 { "shop" } else { "blue" };
        log.append(Item::Event(of(namespace, &pod, sequence)));
    }
    let cases: [(&[&str], &[u64]); 9] = [
        (&["--pod", "shop/web-*"], &[2, 4, 6]),
        (&["--pod", "web-?", "--first", "2"], &[1, 2]),
        (&["--pod", "shop/*", "--first", "2"], &[2, 4]),
        (&["--not", "namespace=shop"], &[1, 3, 5]),
        (&["--not", "pod=*-1", "--not", "pod=*-2"], &[3, 4, 5, 6]),
        (&["--last", "2"], &[5, 6]),
        (&["--last", "2", "--not", "namespace=shop"], &[3, 5]),
        (&["--last", "100"], &[1, 2, 3, 4, 5, 6]),
        (&["--until", "2027-01-15T08:00:00.003Z"], &[1, 2]),
    ];
    for (options, expected) in cases {
        let arguments = [&["events", "--server", &server.address], options].concat();
        let printed = answer(&arguments).await;
        let printed: Vec<_> = printed
            .lines()
            .filter_map(|it| it.rsplit(' ').next())
            .collect();
        let expected: Vec<_> = expected.iter().map(u64::to_string).collect();
        assert_eq!(printed, expected, "{options:?}");
    }
    let wide = answer(&[
        "events",
        "--server",
        &server.address,
        "--last",
        "1",
        "-o",
        "wide",
    ])
    .await;
    assert!(
        wide.contains("node=n1 detector=port_scan uid=u-1"),
        "{wide}"
    );

    let arguments = [
        "events",
        "--server",
        &server.address,
        "--last",
        "1",
        "--follow",
    ];
    let mut picket = Running::start(&arguments);
    assert!(picket.line().await.ends_with("event 6"));
    log.append(Item::Event(of("blue", "web-7", 7)));
    assert!(picket.line().await.ends_with("event 7"));
}

#[tokio::test]
async fn an_anomaly_is_followed_and_its_pods_are_narrowed_here() {
    let told = Told::default();
    let (_folder, server) = serve(&told).await;
    let arguments = ["--server", &server, "anomalies"];
    for (options, is_there) in [
        (&["--pod", "blue/app*"][..], true),
        (&["--pod", "red/app1"], false),
        (&["--label", "app=shop"], false),
        (&["--not", "state=open"], false),
        (&["--not", "severity=low"], true),
        (&["--last", "1"], true),
    ] {
        let text = answer(&[&arguments[..], options].concat()).await;
        assert_eq!(text.contains("blue/app1"), is_there, "{options:?}: {text}");
    }
    let mut picket = Running::start(&[&arguments[..], &["--follow", "--since", "1h"]].concat());
    let line = tokio::time::timeout(Duration::from_secs(20), picket.line()).await;
    assert!(line.unwrap().contains("blue/app1 scans\u{fffd}[2J"));
}

#[tokio::test]
async fn a_detector_that_is_not_there_is_told_with_those_that_are() {
    let (_folder, server) = serve(&Told::default()).await;
    for arguments in [
        &["events", "--detector", "port_scam"][..],
        &["anomalies", "--not", "detector=port_scam"],
        &["top", "--detector", "port_scam"],
    ] {
        let output = run(&[&["--server", &server], arguments].concat()).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        assert!(errors.contains("no detector `port_scam`"), "{errors}");
        for known in ["ip_sweep", "canary", "distributed_scan", "picket detectors"] {
            assert!(errors.contains(known), "{known}: {errors}");
        }
    }
}
