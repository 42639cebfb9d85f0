//! Anomalies, the graph and the detectors, as a collector tells them.

use api::v1::{AnomalyState, Severity, TriageState};

use crate::{
    process::{answer, run},
    told::{ID, Told, serve},
};

#[tokio::test]
async fn each_is_told_in_the_form_that_is_asked_for() {
    let (_folder, server) = serve(&Told::default()).await;
    for (arguments, expected) in [
        (
            &["anomalies"][..],
            &["blue/app1", "high", "acknowledged", ID, "1 of 2"][..],
        ),
        (&["anomalies", "-o", "wide"], &["scans\u{fffd}[2J"]),
        (&["anomalies", "-o", "json"], &["\"severity\":\"high\""]),
        (&["explain", ID], &["scans\u{fffd}[2J", "port_scan", "open"]),
        (&["explain", ID, "-o", "yaml"], &["  id: n1/7"]),
        (
            &["graph"],
            &["pod/blue//app1", "tcp/5432,tcp/22?", "1 high"],
        ),
        (&["graph", "-o", "json"], &["\"declared\":true"]),
        (&["detectors"], &["port_scan", "shadow"]),
        (&["detectors", "-o", "yaml"], &["mode: shadow"]),
    ] {
        let text = answer(&[&["--server", &server], arguments].concat()).await;
        for expected in expected {
            assert!(
                text.contains(expected),
                "{arguments:?}: {expected} is not in\n{text}"
            );
        }
        assert!(!text.contains('\u{1b}'), "{arguments:?}: {text:?}");
    }
}

#[tokio::test]
async fn what_is_asked_for_is_what_the_collector_filters() {
    let told = Told::default();
    let (_folder, server) = serve(&told).await;
    let arguments = [
        "--server",
        &server,
        "anomalies",
        "-n",
        "blue",
        "--severity",
        "high",
        "--state",
        "open",
        "--triage",
        "new",
        "--text",
        "scan",
        "--shadow",
        "--limit",
        "5",
    ];
    answer(&arguments).await;
    let asked = told.asked();
    let filter = asked.filter.unwrap();
    assert_eq!(asked.page_size, 5);
    assert_eq!(
        (&filter.namespaces[..], &filter.text[..]),
        (&["blue".to_owned()][..], "scan")
    );
    assert_eq!(filter.severities, [i32::from(Severity::High)]);
    assert_eq!(filter.states, [i32::from(AnomalyState::Open)]);
    assert_eq!(filter.triage, [i32::from(TriageState::New)]);
    assert!(filter.include_shadow);
}

#[tokio::test]
async fn an_anomaly_that_is_not_there_is_told_of_by_its_name() {
    let (_folder, server) = serve(&Told::default()).await;
    let output = run(&["--server", &server, "explain", "nobody"]).await;
    assert!(!output.status.success());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.contains("`nobody`"), "{errors}");
}
