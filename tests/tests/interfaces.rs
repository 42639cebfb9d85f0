//! Interfaces come, go, change names and are too many: what can be watched is, and the rest is told.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Context as _, Result, ensure};
use api::v1::{NodeStatus, State, subscribe_request::From};
use tests::{
    Client, Deadline, Node, Place, Story, Watch, bpf::Foreign, run, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(60);

fn status(watch: &Watch) -> Result<NodeStatus> {
    let nodes = Client::connect(&watch.agent_address(), LIMIT)?.nodes()?;
    let status = nodes.into_iter().next().and_then(|node| node.status);
    Ok(status.unwrap_or_default())
}

fn wait_for_status(watch: &Watch, what: &str, holds: impl Fn(&NodeStatus) -> bool) -> Result<()> {
    wait_for(what, LIMIT, || Ok(holds(&status(watch)?).then_some(())))
}

#[test]
fn a_slot_that_comes_free_goes_to_who_waits_for_it() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    let first = node.routed("default", "first", &["10.244.147.92"])?;
    let watch = Watch::start(&node, &[&first], "slots: 1\n", Place::Apart)?;
    let second = node.routed("default", "second", &["10.244.147.93"])?;
    wait_for_status(&watch, "the second to wait", |status| {
        let [waiting] = &status.unwatched[..] else {
            return false;
        };
        waiting.interface == second.interface && waiting.reason.contains("--slots")
    })?;
    node.network.ip(&format!("link del {}", first.interface))?;
    wait_for_status(&watch, "the second to be watched", |status| {
        status.unwatched.is_empty()
            && status
                .slots
                .iter()
                .map(|it| &it.interface)
                .eq([&second.interface])
    })
}

#[test]
fn a_scan_is_seen_through_a_storm_of_interfaces() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const STORM: usize = 100;
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], "slots: 128\n", Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let elsewhere = tests::Namespace::new()?;
    let mut lines = String::new();
    for n in 0..STORM {
        let path = elsewhere.path().display().to_string();
        writeln!(
            lines,
            "link add new{n} type veth peer name peer{n} netns {path}"
        )?;
        // As CNI plugins do: it comes under one name, and goes on under another.
        writeln!(lines, "link set new{n} name storm{n}")?;
    }
    node.network.ip(&lines)?;
    let target = app2.address().to_string();
    run("nmap", app1.command("nmap").args(["-n", &target]), LIMIT)?.success()?;
    subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    wait_for_status(&watch, "the storm to be watched", |status| {
        let stormy = status
            .slots
            .iter()
            .filter(|it| it.interface.starts_with("storm"));
        stormy.count() == STORM && status.unwatched.is_empty()
    })?;
    drop(elsewhere);
    wait_for_status(&watch, "the storm to pass", |status| {
        status.slots.len() == 2
    })?;
    ensure!(status(&watch)?.unwatched.is_empty(), "something is left");
    Ok(())
}

/// A crowd is attached by clsact, for by tcx it would wait for 1,000 RCU grace periods.
#[test]
fn interfaces_that_come_all_at_once_are_attached_within_seconds() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const STORM: usize = 500;
    const SOON: Duration = Duration::from_secs(10);
    let node = Node::new("node1")?;
    let watch = Watch::pinned(&node, &[], "slots: 512\n")?;
    let elsewhere = tests::Namespace::new()?;
    let mut lines = String::new();
    for n in 0..STORM {
        let path = elsewhere.path().display().to_string();
        writeln!(
            lines,
            "link add new{n} type veth peer name peer{n} netns {path}"
        )?;
    }
    let deadline = Deadline::after(SOON);
    node.network.ip(&lines)?;
    wait_for_status(&watch, "all to be watched", |status| {
        status.slots.len() == STORM && status.unwatched.is_empty()
    })?;
    let left = deadline.left();
    ensure!(!left.is_zero(), "it took more than {SOON:?}");
    println!(
        "{STORM} veths were made and attached in {:.1?}",
        SOON - left
    );
    let links = |watch: &Watch| -> Result<usize> {
        let pins = watch.pins()?;
        Ok(pins.iter().filter(|path| path.contains("/links/")).count())
    };
    let (links_of_all, filters) = (links(&watch)?, filters(&node, STORM)?);
    ensure!(
        links_of_all + filters == 2 * STORM && filters > STORM,
        "{links_of_all} links and {filters} filters"
    );
    drop(elsewhere);
    wait_for("their links to go with them", LIMIT, || {
        Ok((links(&watch)? == 0).then_some(()))
    })
}

/// The BPF filters at the interfaces `new0`, `new1` and so on.
fn filters(node: &Node, interfaces: usize) -> Result<usize> {
    let script = "n=0; while [ $n -lt $0 ]; do for side in ingress egress; do \
                  tc filter show dev new$n $side; done; n=$((n + 1)); done";
    let mut tc = node.network.command("sh");
    let shown = run(
        "tc",
        tc.args(["-c", script, &interfaces.to_string()]),
        LIMIT,
    )?;
    let lines = shown.success()?.stdout;
    Ok(lines.lines().filter(|line| line.contains(" id ")).count())
}

/// A filter is run after all programs on tcx, and any of these can end the chain.
#[test]
fn one_of_a_crowd_goes_to_tcx_when_others_are_there() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    let sink = node.routed("default", "sink", &["10.244.147.91"])?;
    let mut watch = Watch::pinned(&node, &[&sink], "slots: 8\n")?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let pods: Vec<_> = (92..95)
        .map(|last| {
            node.routed(
                "default",
                &format!("app{last}"),
                &[&format!("10.244.147.{last}")],
            )
        })
        .collect::<Result<_>>()?;
    let last = pods.last().context("no pod")?;
    watch.wait_until_attached(&[last])?;
    let is_pinned = |watch: &Watch, index: u32| -> Result<bool> {
        let links = format!("/links/{index}-");
        Ok(watch.pins()?.iter().any(|path| path.contains(&links)))
    };
    let index = index(&node, &last.interface)?;
    ensure!(!is_pinned(&watch, index)?, "it is on tcx already");
    let _foreign = node.network.enter(|| Foreign::attach_first(index))??;
    let agent = watch.agent.as_mut().context("no agent runs")?;
    agent.wait_for_line("moved it to the front", LIMIT)?;
    ensure!(is_pinned(&watch, index)?, "it is not on tcx");
    let target = sink.address().to_string();
    run("nmap", last.command("nmap").args(["-n", &target]), LIMIT)?.success()?;
    let (opened, _) = subscription.event(LIMIT, |event| {
        event.state() == State::Opened && event.detector == "port_scan"
    })?;
    ensure!(
        opened.source.unwrap_or_default().pod.is_empty(),
        "it is in no table"
    );
    Ok(())
}

fn index(node: &Node, interface: &str) -> Result<u32> {
    let mut ip = node.network.command("ip");
    let shown = run("ip", ip.args(["-o", "link", "show", interface]), LIMIT)?
        .success()?
        .stdout;
    let index = shown.split(':').next().unwrap_or_default();
    index
        .parse()
        .with_context(|| format!("no index in {shown}"))
}
