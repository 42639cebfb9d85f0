//! Nothing is lost when the collector or the agent goes away and comes back.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use api::v1::{Durability, Event, State, subscribe_request::From, subscribe_response::Item};
use rustix::process::Signal;
use tests::{Client, Place, Pod, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

#[test]
fn events_of_a_time_without_collector_arrive_when_it_is_back() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for signal in [Signal::TERM, Signal::KILL] {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        let mut watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
        scan(app1, app2)?;
        told(&watch, "app1", 1)?;

        let mut collector = watch.collector.take().context("no collector")?;
        collector.signal(signal)?;
        collector.wait(LIMIT)?;
        let agent = Client::connect(&watch.agent_address(), LIMIT)?;
        let mut local = agent.subscribe(From::Now(true), LIMIT)?;
        scan(app2, app1)?;
        // The agent serves its own node meanwhile.
        local.event(LIMIT, |event| {
            event.state() == State::Opened && by(event, "app2")
        })?;
        watch.start_collector()?;
        told(&watch, "app2", 1)?;

        for (index, event) in watch.client()?.events()?.iter().enumerate() {
            let id = event.id.clone().unwrap_or_default();
            assert_eq!(
                id.sequence,
                index as u64 + 1,
                "lost, doubled or out of order"
            );
        }
    }
    Ok(())
}

#[test]
fn what_a_killed_agent_had_on_its_disk_arrives_from_the_next_one() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    watch.stop_collector()?;
    scan(app1, app2)?;
    watch.wait_until_spooled()?;
    watch.kill_agent()?;
    watch.start_agent()?;
    watch.wait_until_attached(&[app1, app2])?;
    scan(app2, app1)?;
    watch.start_collector()?;
    told(&watch, "app1", 1)?;
    told(&watch, "app2", 1)?;
    let events = watch.client()?.events()?;
    let ids = events.iter().filter_map(|event| event.id.as_ref());
    let ids: Vec<_> = ids.map(|id| (id.epoch, id.sequence)).collect();
    ensure!(ids.is_sorted(), "out of order: {ids:?}");
    ensure!(
        events
            .iter()
            .all(|event| event.durability() == Durability::Durable),
        "an event that says it was in memory alone"
    );
    Ok(())
}

#[test]
fn a_subscriber_that_resumes_by_cursor_misses_nothing_and_sees_nothing_twice() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    scan(app1, app2)?;
    scan(app2, app1)?;
    told(&watch, "app1", 1)?;
    told(&watch, "app2", 1)?;
    let client = watch.client()?;
    let all = client.events()?;
    let mut cursor = 0;
    for event in &all {
        let mut subscription = client.subscribe(From::AfterCursor(cursor), LIMIT)?;
        let Item::Event(resumed) = subscription.next(LIMIT)?.item else {
            anyhow::bail!("a gap, where nothing was lost");
        };
        assert_eq!(&resumed, event);
        cursor = resumed.cursor;
    }
    Ok(())
}

#[test]
fn an_agent_that_comes_back_goes_on() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    scan(app1, app2)?;
    told(&watch, "app1", 1)?;
    for (round, signal) in [(2, Signal::TERM), (3, Signal::KILL)] {
        let mut agent = watch.agent.take().context("no agent")?;
        agent.signal(signal)?;
        agent.wait(LIMIT)?;
        watch.start_agent()?;
        watch.wait_until_watched(&[app1, app2])?;
        scan(app1, app2)?;
        told(&watch, "app1", round)?;
    }
    let events = watch.client()?.events()?;
    let epochs = events.iter().filter_map(|event| event.id.as_ref());
    let mut epochs: Vec<_> = epochs.map(|id| id.epoch).collect();
    ensure!(epochs.is_sorted(), "epochs go back: {epochs:?}");
    epochs.dedup();
    assert_eq!(epochs.len(), 3);
    Ok(())
}

fn scan(from: &Pod, to: &Pod) -> Result<()> {
    let to = to.address().to_string();
    run("nmap", from.command("nmap").args(["-n", &to]), LIMIT)?.success()?;
    Ok(())
}

/// Waits until the collector's log holds `times` openings of scans by `pod`.
fn told(watch: &Watch, pod: &str, times: usize) -> Result<()> {
    let client = watch.client()?;
    wait_for(&format!("opening {times} by {pod}"), LIMIT, || {
        let events = client.events()?;
        let opened = events.iter().filter(|event| event.state() == State::Opened);
        Ok((opened.filter(|event| by(event, pod)).count() == times).then_some(()))
    })
    .with_context(|| watch.log())
}

fn by(event: &Event, pod: &str) -> bool {
    let source = event.source.as_ref();
    // What is proposed to do about it is told too.
    event.action.is_none() && source.is_some_and(|source| source.pod == pod)
}
