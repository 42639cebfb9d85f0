//! `picket` shows what the daemons know.

use std::time::Duration;

use anyhow::{Context, Result};
use tests::{Place, Process, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);

#[test]
fn events_and_status_are_shown() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], "{}\n", Place::Apart)?;
    let mut follow = watch.picket()?;
    let mut follow = Process::spawn(
        "picket",
        follow.args(["events", "--follow", "--after", "0"]),
    )?;
    let target = app2.address().to_string();
    run("nmap", app1.command("nmap").args(["-n", &target]), LIMIT)?.success()?;

    let line = follow
        .wait_for_line("default/app1", LIMIT)
        .with_context(|| watch.log())?;
    assert!(line.contains("blue/app2"), "{line}");
    let cases: [(&[&str], &[&str]); 8] = [
        (&["events"], &["opened", "default/app1", "blue/app2"]),
        (
            &["events", "--json"],
            &["\"port_scan\"", "\"app1\"", "\"app2\"", "\"T1046\""],
        ),
        (&["status"], &["node1", "tcx", &app1.interface, "blue/app2"]),
        (&["status", "--json"], &["\"node1\"", &app2.interface]),
        (
            &[
                "events",
                "-o",
                "yaml",
                "--pod",
                "default/app*",
                "--last",
                "1",
            ],
            &["kind: event", "pod: app1"],
        ),
        (
            &["anomalies", "-o", "wide", "--not", "detector=canary"],
            &["default/app1", "node1", "uid-app1", "scan"],
        ),
        (
            &["top"],
            &[
                "open ",
                "nodes 1/1",
                "default/app1",
                "port_scan",
                "blue/app2",
                "/250",
                "connected",
            ],
        ),
        (&["graph", "-o", "wide"], &["LAST SEEN"]),
    ];
    for (arguments, shown) in cases {
        let stdout = run("picket", watch.picket()?.args(arguments), LIMIT)?
            .success()?
            .stdout;
        for text in shown {
            assert!(
                stdout.contains(text),
                "{arguments:?} lacks {text}:\n{stdout}"
            );
        }
        assert!(!stdout.contains('\x1b'), "{arguments:?} colours a pipe");
    }
    Ok(())
}

#[test]
fn an_agent_that_went_is_shown_as_away() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::start(node, &[app1, app2], "{}\n", Place::Apart)?;
    watch.stop_agent()?;
    wait_for("node1 to be shown as away", LIMIT, || {
        let nodes = watch.client()?.nodes()?;
        Ok(nodes.iter().any(|node| !node.connected).then_some(()))
    })?;
    run("picket", watch.picket()?.arg("status"), LIMIT)?.success()?;
    Ok(())
}
