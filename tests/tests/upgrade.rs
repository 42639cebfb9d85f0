//! An agent of another version takes over what the one before it has pinned.

use std::{
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use api::v1::{ActionKind, Event, State, subscribe_request::From};
use tests::{Capture, Pod, Process, Story, Subscription, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const QUICK: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";
const KNOWN: u16 = 40_002;

/// What makes the next agent one of another version, and how both attach.
const OTHERS: [(&str, &str, &str); 4] = [
    ("other slots", "tcx", ""),
    ("other slots", "clsact", ""),
    // Another number in its name is what another layout shows by.
    (
        "another layout",
        "tcx",
        "mv \"$it\" \"${it%/*}/picket-0123456789abcdef-16\"",
    ),
    (
        "another layout, of other fields",
        "clsact",
        "text=$(readlink \"$it/layout\" | sed 's/ udp.window=/ udp.of_tomorrow=/'); \
         rm \"$it/layout\"; ln -s \"$text\" \"$it/layout\"; \
         mv \"$it\" \"${it%/*}/picket-0123456789abcdef-16\"",
    ),
];

/// Changes what a killed agent of 16 slots has left, and how the next one is set.
fn change(watch: &Watch, script: &str, config: &str) -> Result<()> {
    let slots = if script.is_empty() { 17 } else { 16 };
    if !script.is_empty() {
        let each = format!("cd /sys/fs/bpf; for it in */picket-*; do {script}; done");
        watch.bpffs()?.shell(&each)?;
    }
    watch.configure_agent(&format!("slots: {slots}\n{config}"))
}

fn links(watch: &Watch) -> Result<Vec<String>> {
    let mut pins = watch.pins()?;
    pins.retain(|path| path.contains("/links/"));
    Ok(pins)
}

/// Waits until nothing is left but what the agent itself has pinned.
fn wait_until_alone(watch: &Watch, attach: &str) -> Result<()> {
    let directory = |path: &String| {
        path.split('/')
            .take(2)
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    wait_for("the other version to go", LIMIT, || {
        let mut directories: Vec<_> = watch.pins()?.iter().map(directory).collect();
        directories.dedup();
        let is_alone = directories.len() == 1 && !directories[0].concat().contains("0123456789");
        Ok(is_alone.then_some(()))
    })?;
    let expected = if attach == "tcx" { 4 } else { 0 };
    ensure!(links(watch)?.len() == expected, "{:?}", watch.pins()?);
    Ok(())
}

fn scan(pod: &Pod, target: &Pod) -> Result<()> {
    let mut nmap = pod.command("nmap");
    nmap.args(["-n", "-sS", &target.address().to_string()]);
    run("nmap", &mut nmap, LIMIT)?.success().map(drop)
}

fn counted(subscription: &mut Subscription) -> Result<(Event, u32)> {
    let (opened, _) = subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    let (closed, _) = subscription.event(LIMIT, |event| {
        event.anomaly_id == opened.anomaly_id && event.state() == State::Closed
    })?;
    Ok((opened, closed.ports.unwrap_or_default().distinct))
}

#[test]
fn what_a_pod_did_while_no_agent_ran_is_told_by_one_of_another_version() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    for (name, attach, script) in OTHERS {
        let config = format!("attach: {attach}\n{QUICK}");
        let first = format!("slots: 16\n{config}");
        let mut watch = Watch::pinned(node, &[app1, app2], &first)?;
        let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
        watch.kill_agent()?;
        let capture = Capture::start(&node.network, &app1.interface)?;
        scan(app1, app2)?;
        let captured = capture.finish()?.ports_initiated_by(app1.address());
        change(&watch, script, &config)?;
        watch.start_agent()?;
        let (opened, ports) = counted(&mut subscription).with_context(|| watch.log())?;
        let source = opened.source.clone().unwrap_or_default();
        let is_it = source.interface == app1.interface;
        ensure!(is_it, "{name}, {attach}: {opened:?}");
        ensure!(
            usize::try_from(ports)? == captured.len(),
            "{name}, {attach}: {ports} of {}: {}",
            captured.len(),
            watch.log()
        );
        let is_told = watch.log().contains("udp.of_tomorrow");
        ensure!(is_told == script.contains("of_tomorrow"), "{}", watch.log());
        wait_until_alone(&watch, attach)?;
        watch.stop_agent()?;
        run("detach", watch.agent_command()?.arg("detach"), LIMIT)?.success()?;
    }
    Ok(())
}

#[test]
fn a_contained_pod_stays_so_under_an_agent_of_another_version() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[KNOWN])?;
    let to = SocketAddr::from((app2.address(), KNOWN));
    let reaches = || {
        let connect = || TcpStream::connect_timeout(&to, Duration::from_millis(300));
        app1.network.enter(connect).map(|it| it.is_ok())
    };
    for (name, attach, script) in OTHERS {
        let config = format!("attach: {attach}\n{QUICK}containment: {{mode: act, lease: 10m}}\n");
        let first = format!("slots: 16\n{config}");
        let mut watch = Watch::pinned(node, &[app1, app2], &first)?;
        let mut events = watch.client()?.subscribe(From::Now(true), LIMIT)?;
        let acted = |event: &Event| event.action.is_some();
        let address = app2.address().to_string();
        let mut nmap = app1.command("nmap");
        let scanner = Process::spawn("nmap", nmap.args(["-n", "-Pn", "-p1-30000", &address]))?;
        let contained = events.event(LIMIT, acted)?.0.action.unwrap_or_default();
        ensure!(contained.kind() == ActionKind::Contained, "{contained:?}");
        drop(scanner);
        watch.kill_agent()?;
        ensure!(!reaches()?, "{name}: the pins keep it contained");
        change(&watch, script, &config)?;
        watch.start_agent()?;
        watch.wait_until_watched(&[app1, app2])?;
        wait_until_alone(&watch, attach)?;
        ensure!(!reaches()?, "{name}: it is free: {}", watch.log());
        // Its first status may come before it has looked.
        wait_for("it to be told", LIMIT, || {
            let nodes = watch.client()?.nodes()?.into_iter();
            let statuses = nodes.filter_map(|it| it.status);
            let mut held = statuses.flat_map(|it| it.containments);
            Ok(held.any(|it| it.pod == "app1").then_some(()))
        })
        .with_context(|| format!("{name}: {}", watch.log()))?;
        ensure!(!reaches()?, "{name}: it is free: {}", watch.log());
        watch.stop_agent()?;
        run("detach", watch.agent_command()?.arg("detach"), LIMIT)?.success()?;
    }
    Ok(())
}

#[test]
fn what_does_not_say_how_it_is_laid_out_is_replaced_and_that_is_told() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::pinned(node, &[app1, app2], "slots: 16\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    watch.kill_agent()?;
    change(&watch, "rm \"$it/layout\"", "")?;
    watch.configure_agent("slots: 17\n")?;
    watch.start_agent()?;
    watch.wait_until_attached(&[app1, app2])?;
    wait_until_alone(&watch, "tcx")?;
    let said = watch.log().contains("cannot be taken over");
    ensure!(said, "{}", watch.log());
    scan(app1, app2)?;
    subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    Ok(())
}
