//! The page over HTTP: its files, its answers, its stream.

use std::fs;

use api::policy::revision;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{
    engine::Engine,
    harness::{Collector, event, eventually, within},
};

const OURS: &str = "X-Picket: 1\r\nContent-Type: application/json\r\n";

/// Status and body of an answer, and its head.
async fn ask(collector: &Collector, head: &str, body: &str) -> (u16, String, String) {
    let address = collector.page_address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let host = if head.contains("Host: ") {
        String::new()
    } else {
        format!("Host: {address}\r\n")
    };
    let request =
        format!("{head}{host}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    within("the answer", stream.read_to_string(&mut answer))
        .await
        .unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_ascii_lowercase(), body.to_owned())
}

async fn get(collector: &Collector, path: &str) -> (u16, Value) {
    let (status, _, body) = ask(collector, &format!("GET {path} HTTP/1.1\r\n"), "").await;
    (status, serde_json::from_str(&body).unwrap())
}

async fn send(collector: &Collector, method: &str, path: &str, body: Value) -> (u16, Value) {
    let head = format!("{method} {path} HTTP/1.1\r\n{OURS}");
    let (status, _, body) = ask(collector, &head, &body.to_string()).await;
    (status, serde_json::from_str(&body).unwrap_or(Value::Null))
}

pub(crate) async fn publish(collector: &Collector) -> String {
    let mut agent = collector.agent("n1").await;
    agent.send_batch(vec![event("n1", 1), event("n1", 2)]).await;
    agent.acknowledged().await;
    eventually("the anomalies", async || {
        let (_, listed) = get(collector, "/api/v1/anomalies").await;
        (listed["matching"] == 2).then_some(())
    })
    .await;
    event("n1", 1).anomaly_id
}

#[tokio::test]
async fn files_are_served_under_a_strict_policy_and_other_paths_are_the_page() {
    let collector = Collector::start(&Engine::Sqlite).await;
    for path in ["/", "/anomalies/n1%2F7", "/index.html", "/../../etc/passwd"] {
        let (status, head, body) = ask(&collector, &format!("GET {path} HTTP/1.1\r\n"), "").await;
        assert_eq!(status, 200, "{path}");
        assert!(body.contains("<!doctype html>"), "{path}: {body}");
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'",
            "x-content-type-options: nosniff",
            "cache-control: no-cache",
            "content-type: text/html",
        ] {
            assert!(head.contains(header), "{header} is not in {head}");
        }
    }
    let (status, _, _) = ask(&collector, "GET /assets/old-1234.js HTTP/1.1\r\n", "").await;
    assert_eq!(status, 404, "not the page in place of a script");
    let (status, wrong) = get(&collector, "/api/v1/nothing").await;
    assert_eq!(
        (status, &wrong["error"]["code"]),
        (404, &json!("not_found"))
    );
    collector.stop().await;
}

#[tokio::test]
async fn anomalies_are_listed_opened_and_judged() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let id = publish(&collector).await;
    let (_, listed) = get(&collector, "/api/v1/anomalies?severity=high&limit=1").await;
    assert_eq!(listed["anomalies"].as_array().unwrap().len(), 1);
    assert_eq!(listed["anomalies"][0]["state"], "open");
    assert_eq!(listed["anomalies"][0]["last"]["severity"], "high");
    let path = format!("/api/v1/anomalies/{}", id.replace('/', "%2F"));
    let (status, details) = get(&collector, &path).await;
    assert_eq!((status, &details["anomaly"]["id"]), (200, &json!(id)));
    let body = json!({"kind": "noted", "note": "<script>alert(1)</script>"});
    let (status, said) = send(&collector, "POST", &format!("{path}/triage"), body).await;
    assert_eq!(
        (status, &said["triage"]["kind"]),
        (200, &json!("noted")),
        "{said}"
    );
    let (_, details) = get(&collector, &path).await;
    assert_eq!(
        details["triage"][0]["triage"]["note"],
        "<script>alert(1)</script>"
    );
    for (path, status) in [
        ("/api/v1/anomalies/nobody", 404),
        ("/api/v1/anomalies?severity=loud", 400),
        ("/api/v1/anomalies?limit=1001", 400),
        ("/api/v1/graph?detail=pods", 200),
        ("/api/v1/detectors", 200),
        ("/api/v1/nodes", 200),
        ("/api/v1/containments", 200),
        ("/api/v1/pods/blue/nobody", 404),
        ("/api/v1/caller", 200),
    ] {
        assert_eq!(get(&collector, path).await.0, status, "{path}");
    }
    let (status, _) = send(
        &collector,
        "POST",
        "/api/v1/commands",
        json!({"command": "?", "certificates": [], "signature": ""}),
    )
    .await;
    assert_eq!(status, 400);
    let (status, _) = send(&collector, "POST", &format!("{path}/triage"), json!([1])).await;
    assert_eq!(status, 400);
    collector.stop().await;
}

#[tokio::test]
async fn a_pod_is_shown_the_policy_that_would_cut_it_off() {
    let pods = "pods:\n\
        - {namespace: blue, name: app1, uid: 3f1b7a3e-8c1d, addresses: [10.0.0.1]}\n\
        - {namespace: blue, name: old, addresses: [10.0.0.2]}\n";
    let collector = Collector::with_pods(&Engine::Sqlite, pods).await;
    let asked = "/api/v1/pods/blue/app1/policy?allow_dns=1&allow_from=red";
    let (status, told) = get(&collector, asked).await;
    assert_eq!((status, &told["pod"]), (200, &json!("app1")), "{told}");
    let policy = told["policy"].as_str().unwrap();
    for expected in [
        "picket.dev/quarantine: \"3f1b7a3e\"",
        "kubectl label pod --namespace blue app1",
        "metadata.name: \"red\"",
        "k8s-app: kube-dns",
    ] {
        assert!(policy.contains(expected), "{expected} is not in\n{policy}");
    }
    for (path, status) in [
        ("/api/v1/pods/blue/nobody/policy", 404),
        ("/api/v1/pods/blue/old/policy", 412),
        ("/api/v1/pods/blue/app1/policy?allow_to=a%0Ab", 400),
        ("/api/v1/pods/blue/app1/policy?allow_all=1", 400),
    ] {
        let (got, said) = get(&collector, path).await;
        assert_eq!(got, status, "{path}: {said}");
    }
    collector.stop().await;
}

#[tokio::test]
async fn another_page_or_another_name_reaches_nothing() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let id = publish(&collector).await.replace('/', "%2F");
    let triage = format!("POST /api/v1/anomalies/{id}/triage HTTP/1.1\r\n");
    let body = r#"{"kind": "resolved"}"#;
    for (head, status) in [
        (triage.clone(), 403),
        (format!("{triage}Content-Type: application/json\r\n"), 403),
        (
            format!("{triage}X-Picket: 1\r\nContent-Type: text/plain\r\n"),
            400,
        ),
        (
            format!("{triage}{OURS}Origin: http://evil.example\r\n"),
            403,
        ),
        (format!("{triage}{OURS}Host: evil.example\r\n"), 403),
        ("GET / HTTP/1.1\r\nHost: evil.example\r\n".to_owned(), 403),
        (format!("{triage}{OURS}"), 200),
    ] {
        let (got, _, said) = ask(&collector, &head, body).await;
        assert_eq!(got, status, "{head}: {said}");
    }
    let signed = send(&collector, "POST", "/api/v1/caller", json!({"token": "x"})).await;
    assert_eq!(signed.0, 412, "nobody signs in without TLS");
    collector.stop().await;
}

#[tokio::test]
async fn the_detectors_are_set_in_their_file_by_who_has_seen_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detectors.yaml");
    let old = "# ours\ndetectors:\n  port_scan: {mode: shadow}\n";
    fs::write(&path, old).unwrap();
    let collector = Collector::with_detectors(&Engine::Sqlite, &path).await;
    let mut agent = collector.agent("n2").await;
    assert_eq!(agent.policy().await.text, old);
    publish(&collector).await;
    let (_, listed) = get(&collector, "/api/v1/detectors").await;
    assert_eq!(
        (&listed["text"], &listed["writable"]),
        (&json!(old), &json!(true))
    );
    assert_eq!(listed["detectors"][0]["id"], "port_scan");
    assert_eq!(listed["detectors"][0]["mode"], "shadow");
    assert_eq!(listed["detectors"][0]["activity"][0]["node"], "n1");
    let body = json!({"changes": [
        {"detector": "port_scan", "mode": "off"},
        {"detector": "port_scan", "threshold": "quiet", "value": "90s"},
        {"add_exception": {"name": "a", "owner": "b", "until": "2099-01-01T00:00:00Z"}},
    ]});
    let (status, edited) = send(&collector, "POST", "/api/v1/detectors/edit", body).await;
    assert_eq!(status, 200, "{edited}");
    let text = edited["text"].as_str().unwrap();
    let expected =
        "# ours\ndetectors:\n  port_scan: {quiet: 90s, mode: off}\nexceptions:\n- name: 'a'\n";
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(
        edited["problems"].as_array().unwrap().len(),
        1,
        "it has no reason"
    );
    let new = "detectors:\n  port_scan: {mode: off}\n";
    let preview = send(
        &collector,
        "POST",
        "/api/v1/detectors/preview",
        json!({"text": new}),
    )
    .await;
    assert_eq!(preview.0, 200, "{}", preview.1);
    let wrong = send(
        &collector,
        "POST",
        "/api/v1/detectors/preview",
        json!({"text": "a: b"}),
    )
    .await;
    assert_eq!(wrong.0, 400);
    let said = wrong.1["error"]["message"].as_str().unwrap();
    assert!(said.contains("policy:1: a: there is no such key"), "{said}");
    for (replaces, status) in [("stale", 409), (&revision(old)[..], 200)] {
        let body = json!({"text": new, "replaces": replaces});
        let (got, said) = send(&collector, "PUT", "/api/v1/detectors", body).await;
        assert_eq!(got, status, "{said}");
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), new);
    assert_eq!(agent.policy().await.text, new);
    collector.stop().await;
}

#[tokio::test]
async fn without_a_file_the_detectors_cannot_be_set_and_it_is_told_why() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let (_, listed) = get(&collector, "/api/v1/detectors").await;
    assert_eq!(listed["writable"], false);
    assert!(
        listed["not_writable"]
            .as_str()
            .unwrap()
            .contains("--detectors")
    );
    let body = json!({"text": "", "replaces": ""});
    let (status, said) = send(&collector, "PUT", "/api/v1/detectors", body).await;
    assert_eq!(
        (status, &said["error"]["code"]),
        (412, &json!("failed_precondition"))
    );
    collector.stop().await;
}
