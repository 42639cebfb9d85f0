//! Whose an event is, when the collector comes late or not at all.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api::v1::{Event, State, subscribe_request::From};
use tests::{Place, Pod, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 60s}, port_scan_target: {mode: off}}\n";

const ACT: &str = "containment: {mode: act, max_share_percent: 100}\n";

fn scan(pod: &Pod, target: &Pod) -> Result<()> {
    let mut nmap = pod.command("nmap");
    nmap.args(["-n", "-Pn", "-p1-200", &target.address().to_string()]);
    run("nmap", &mut nmap, LIMIT)?.success().map(drop)
}

fn is_opened(event: &Event) -> bool {
    event.state() == State::Opened && event.detector == "port_scan"
}

#[test]
fn pods_have_their_names_after_a_restart_without_a_collector() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let Story { app1, app2, node } = Story::new()?;
    let mut watch = Watch::pinned(&node, &[&app1, &app2], AGENT_CONFIG)?;
    watch.wait_until_remembered(&[&app1, &app2])?;
    watch.stop_collector()?;
    watch.kill_agent()?;
    watch.start_agent()?;
    watch.wait_until_attached(&[&app1, &app2])?;
    let mut subscription = watch.agent_client()?.subscribe(From::Now(true), LIMIT)?;
    scan(&app1, &app2)?;
    let (opened, _) = subscription
        .event(LIMIT, is_opened)
        .with_context(|| watch.log())?;
    let source = opened.source.unwrap_or_default();
    ensure!(
        source.uid == "uid-app1" && source.unknown.is_empty(),
        "{source:?}"
    );
    Ok(())
}

#[test]
fn an_event_of_an_unknown_pod_is_told_again_with_its_name() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let (again, watch) = told_twice(&story, &format!("{AGENT_CONFIG}{ACT}"))?;
    ensure!(!again.shadow, "{again:?}");
    wait_for("the pod to be contained", LIMIT, || {
        Ok(is_contained(&watch)?.then_some(()))
    })
    .with_context(|| watch.log())?;
    ensure!(again.summary.contains("default/app1"), "{}", again.summary);
    Ok(())
}

#[test]
fn what_nobody_is_to_be_told_of_is_named_for_the_record_and_contained_by_nobody() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for quiet in [
        "exceptions: [{name: ours, owner: us, reason: it is ours, namespaces: [default]}]",
        "scopes: [{namespaces: [default], detectors: {port_scan: {mode: shadow}}}]",
    ] {
        let story = Story::new()?;
        let (again, watch) = told_twice(&story, &format!("{AGENT_CONFIG}{ACT}{quiet}\n"))?;
        ensure!(again.shadow, "{quiet}: {again:?}");
        ensure!(!is_contained(&watch)?, "{quiet}: {again:?}");
    }
    Ok(())
}

fn is_contained(watch: &Watch) -> Result<bool> {
    let nodes = watch.agent_client()?.nodes()?;
    let mut statuses = nodes.iter().flat_map(|node| &node.status);
    Ok(statuses.any(|status| !status.containments.is_empty()))
}

/// A scan by a pod that was not known when it was told of, and is later: the event that names it.
fn told_twice(story: &Story, config: &str) -> Result<(Event, Watch)> {
    let Story { app1, app2, node } = story;
    let pods = [app1, app2];
    let mut watch = Watch::start(node, &pods, config, Place::Apart)?;
    watch.wait_until_remembered(&pods)?;
    watch.stop_agent()?;
    watch.stop_collector()?;
    watch.forget_pods()?;
    watch.start_agent()?;
    watch.wait_until_attached(&pods)?;
    let mut subscription = watch.agent_client()?.subscribe(From::Now(true), LIMIT)?;
    scan(app1, app2)?;
    let (unknown, _) = subscription
        .event(LIMIT, is_opened)
        .with_context(|| watch.log())?;
    let source = unknown.source.clone().unwrap_or_default();
    ensure!(
        !unknown.shadow
            && source.pod.is_empty()
            && source.unknown.contains("the collector is away"),
        "{unknown:?}"
    );
    watch.start_collector()?;
    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let is_same = |event: &Event| event.anomaly_id == unknown.anomaly_id;
    let mut next = || subscription.event(LIMIT, is_same);
    let (mut event, _) = next().with_context(|| watch.log())?;
    ensure!(
        event.source.as_ref().is_some_and(|it| it.pod.is_empty()),
        "the collector guessed: {event:?}"
    );
    while event.source.as_ref().is_none_or(|it| it.pod.is_empty()) {
        (event, _) = next().with_context(|| watch.log())?;
    }
    let source = event.source.clone().unwrap_or_default();
    ensure!(
        source.uid == "uid-app1" && source.unknown.is_empty(),
        "{source:?}"
    );
    Ok((event, watch))
}
