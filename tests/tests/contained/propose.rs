//! What an agent does that was not told to act: it says whom it would contain, once, and touches nobody.

use std::time::Duration;

use anyhow::{Result, ensure};
use api::v1::{ActionKind, Event, State, subscribe_request::From};
use tests::{Place, Story, Watch, require_tools, run, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const CONFIG: &str =
    "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}, ip_sweep: {mode: off}}\n";

fn kind(event: &Event) -> Option<ActionKind> {
    event.action.as_ref().map(|it| it.kind())
}

#[test]
fn by_default_a_scan_is_proposed_for_containment_once_and_goes_on() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    require_tools(&["nmap"])?;
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], CONFIG, Place::Apart)?;
    let mut events = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let mut nmap = app1.command("nmap");
    nmap.args(["-n", "-Pn", "-p1-20000", "-T4", &app2.address().to_string()]);
    let scanned = run("nmap", &mut nmap, LIMIT)?.success()?;
    ensure!(scanned.stdout.contains("conn-refused") || scanned.stdout.contains("closed"));
    let is_over = |event: &Event| event.detector == "port_scan" && event.state() == State::Closed;
    let (closed, _) = events.event(LIMIT, is_over)?;
    let dropped = closed.coverage.map(|it| it.contained_packets);
    ensure!(dropped == Some(0), "{closed:?}");

    let all = watch.client()?.events()?;
    let of_scan = all.iter().filter(|it| it.detector == "port_scan").count();
    let told: Vec<_> = all.iter().filter(|it| kind(it).is_some()).collect();
    println!("{of_scan} events of the scan: {:?}", told[0].summary);
    ensure!(of_scan > 2, "the scan was told of {of_scan} times");
    ensure!(told.len() == 1, "{told:?}");
    let proposed = told[0];
    ensure!(kind(proposed) == Some(ActionKind::Proposed));
    let expected =
        "proposes to contain default/app1 (10.244.147.92): containment is set to propose; ";
    ensure!(proposed.summary.starts_with(expected), "{proposed:?}");
    let answers = proposed.action.as_ref().map(|it| &it.anomaly_id);
    ensure!(answers == Some(&closed.anomaly_id), "{proposed:?}");
    Ok(())
}
