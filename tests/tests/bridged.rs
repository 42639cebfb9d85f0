//! Pods on a bridge, as with flannel, kubenet and the bridge plugin: no route says who is behind which port, and yet
//! each is known, and known as nobody else.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api::v1::{CoverageState, Endpoint, Event, NodeStatus, State, subscribe_request::From};
use tests::{Client, Node, Place, Pod, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

fn bridged() -> Result<Node> {
    let node = Node::new("node1")?;
    node.bridge("10.244.5.1/24")?;
    Ok(node)
}

fn status(watch: &Watch) -> Result<NodeStatus> {
    let nodes = Client::connect(&watch.agent_address(), LIMIT)?.nodes()?;
    let status = nodes.into_iter().next().and_then(|node| node.status);
    Ok(status.unwrap_or_default())
}

fn wait_until_covered(watch: &Watch, pods: usize) -> Result<()> {
    wait_for("every pod to be covered", LIMIT, || {
        let status = status(watch)?;
        let covered = status
            .pods
            .iter()
            .filter(|pod| pod.state() == CoverageState::Covered);
        Ok((covered.count() == pods).then_some(()))
    })
    .with_context(|| watch.log())
}

fn scan(from: &Pod, to: &Pod, more: &[&str]) -> Result<()> {
    let mut nmap = from.command("nmap");
    let target = to.address().to_string();
    nmap.args(["-n", "-Pn", "-p1-200"]).args(more).arg(target);
    run("nmap", &mut nmap, LIMIT)?.success().map(drop)
}

/// Who scanned, by the first event of it.
fn scanner(watch: &Watch, scan: impl FnOnce() -> Result<()>) -> Result<Endpoint> {
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    scan()?;
    let is_scan = |event: &Event| event.state() == State::Opened && event.detector == "port_scan";
    let (opened, _) = subscription
        .event(LIMIT, is_scan)
        .with_context(|| watch.log())?;
    Ok(opened.source.unwrap_or_default())
}

fn check(source: &Endpoint, pod: &Pod) -> Result<()> {
    ensure!(
        source.unknown.is_empty()
            && source.uid == format!("uid-{}", pod.name)
            && source.namespace == pod.namespace
            && source.interface == pod.interface
            && source.address == pod.address().to_string(),
        "{source:?}"
    );
    Ok(())
}

#[test]
fn pods_of_before_and_of_after_the_agent_are_known_by_their_uids() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = bridged()?;
    let before = node.bridged("default", "before", "10.244.5.10/24")?;
    let victim = node.bridged("blue", "victim", "10.244.5.93/24")?;
    let after = || node.bridged("default", "after", "10.244.5.11/24");
    let first = after()?;
    let pods = [&before, &victim, &first];
    let watch = Watch::start(&node, &pods, AGENT_CONFIG, Place::Apart)?;
    wait_until_covered(&watch, 3)?;
    check(&scanner(&watch, || scan(&before, &victim, &[]))?, &before)?;
    // Another one in the place of the first, of which nobody has heard a frame.
    node.network.ip(&format!("link del {}", first.interface))?;
    wait_until_covered(&watch, 2)?;
    let second = after()?;
    wait_until_covered(&watch, 3)?;
    check(&scanner(&watch, || scan(&second, &victim, &[]))?, &second)
}

/// It speaks with the link-layer address of another, in its name, and even has the other's address set.
#[test]
fn a_pod_that_passes_itself_off_as_another_is_known_as_itself() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = bridged()?;
    let liar = node.bridged("evil", "liar", "10.244.5.10/24")?;
    let innocent = node.bridged("shop", "innocent", "10.244.5.11/24")?;
    let victim = node.bridged("shop", "victim", "10.244.5.12/24")?;
    let pods = [&liar, &innocent, &victim];
    let watch = Watch::start(&node, &pods, AGENT_CONFIG, Place::Apart)?;
    wait_until_covered(&watch, 3)?;
    let mut shown = innocent.command("cat");
    let hardware = run("cat", shown.arg("/sys/class/net/eth0/address"), LIMIT)?
        .success()?
        .stdout;
    liar.network.ip(&format!(
        "link set eth0 address {}\naddr add 10.244.5.11/24 dev eth0\n",
        hardware.trim()
    ))?;
    let forged = ["-e", "eth0", "-S", "10.244.5.11"];
    let source = scanner(&watch, || scan(&liar, &victim, &forged))?;
    ensure!(
        source.uid == "uid-liar" && source.interface == liar.interface,
        "{source:?}"
    );
    wait_until_covered(&watch, 3)
}
