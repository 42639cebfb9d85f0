//! From one agent to the next: what is pinned goes on counting, and the next one takes it over.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api::v1::{Event, State, subscribe_request::From};
use tests::{Capture, Client, Process, Story, Subscription, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "port_scan: {quiet: 2s}\n";

fn links(watch: &Watch) -> Result<Vec<String>> {
    let mut pins = watch.pins()?;
    pins.retain(|path| path.contains("/links/"));
    Ok(pins)
}

fn closed(subscription: &mut Subscription, opened: &Event) -> Result<Event> {
    let (closed, _) = subscription.event(LIMIT, |event| {
        event.anomaly_id == opened.anomaly_id && event.state() == State::Closed
    })?;
    Ok(closed)
}

#[test]
fn an_agent_killed_within_a_scan_costs_no_port() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[80, 8080])?;
    let mut watch = Watch::pinned(node, &[app1, app2], AGENT_CONFIG)?;
    let pinned = links(&watch)?;
    ensure!(pinned.len() == 4, "two programs at two pods: {pinned:?}");
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let capture = Capture::start(&node.network, &app1.interface)?;
    let mut nmap = app1.command("nmap");
    nmap.args(["-n", "-sS", "--max-rate", "2000", "-p", "1-6000"]);
    let mut scan = Process::spawn("nmap", nmap.arg(app2.address().to_string()))?;
    subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    watch.kill_agent()?;
    ensure!(
        links(&watch)? == pinned,
        "what is pinned went with the agent"
    );
    ensure!(scan.is_running()?, "the scan was over before the kill");
    watch.start_agent()?;
    ensure!(scan.is_running()?, "the scan was over before the takeover");
    ensure!(scan.wait(LIMIT)?.success(), "{}", scan.log());
    let (opened, _) = subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    let closed = closed(&mut subscription, &opened).with_context(|| watch.log())?;
    let captured = capture.finish()?.ports_initiated_by(app1.address());
    let counted = closed.ports.unwrap_or_default().distinct;
    assert_eq!(
        usize::try_from(counted)?,
        captured.len(),
        "{opened:?} {}",
        watch.log()
    );
    ensure!(captured.len() >= 6000, "the scan was cut short");
    ensure!(links(&watch)? == pinned, "the links were not taken over");
    Ok(())
}
