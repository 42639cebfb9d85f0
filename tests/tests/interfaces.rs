//! Interfaces come, go, change names and are too many: what can be watched is, and the rest is told.

use std::{fmt::Write as _, time::Duration};

use anyhow::{Result, ensure};
use api::v1::{NodeStatus, State, subscribe_request::From};
use tests::{Client, Node, Place, Story, Watch, run, wait_for, without_root};

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

#[test]
fn interfaces_that_come_all_at_once_are_all_attached() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    const STORM: usize = 500;
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
    node.network.ip(&lines)?;
    wait_for_status(&watch, "all to be watched", |status| {
        status.slots.len() == STORM && status.unwatched.is_empty()
    })?;
    let links = |watch: &Watch| -> Result<usize> {
        let pins = watch.pins()?;
        Ok(pins.iter().filter(|path| path.contains("/links/")).count())
    };
    ensure!(links(&watch)? == 2 * STORM, "{} links", links(&watch)?);
    drop(elsewhere);
    wait_for("their links to go with them", LIMIT, || {
        Ok((links(&watch)? == 0).then_some(()))
    })
}

/// Where a node is a container its uplink is a veth to another namespace too.
#[test]
fn the_uplink_of_a_node_is_no_pod() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    let world = tests::Namespace::new()?;
    node.network.ip(&format!(
        "link add eth0 type veth peer name node netns {}\n\
         address add 192.0.2.2/24 dev eth0\nlink set eth0 up\nroute add default via 192.0.2.1\n",
        world.path().display()
    ))?;
    let pod = node.routed("default", "app1", &["10.244.147.92"])?;
    let watch = Watch::start(&node, &[&pod], "{}\n", Place::Apart)?;
    let status = status(&watch)?;
    let watched: Vec<_> = status.slots.iter().map(|slot| &slot.interface).collect();
    ensure!(watched == [&pod.interface], "{watched:?}");
    ensure!(status.unwatched.is_empty(), "{:?}", status.unwatched);
    Ok(())
}
