//! The node itself is watched at its uplink, and what only passes through it is nobody's but the pods'.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use api::v1::{Event, NodeStatus, State, subscribe_request::From, subscribe_response::Item};
use tests::{
    Client, Namespace, Node, Place, Pod, Subscription, Watch, require_tools, run, wait_for,
    without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
const GATEWAY: &str = "192.0.2.1";
const OWN: &str = "192.0.2.2";
/// What is open is closed soon, and opens anew.
const CONFIG: &str = "\
nodes: {detectors: {port_scan: {quiet: 1s}, ip_sweep: {quiet: 1s}}}
detectors: {port_scan: {quiet: 1s}, ip_sweep: {quiet: 1s}}
";

/// A node with a pod, and beyond its uplink a world that refuses every connection.
struct Lab {
    pod: Pod,
    node: Node,
    _world: Namespace,
}

impl Lab {
    fn new() -> Result<Self> {
        require_tools(&["nmap", "iptables"])?;
        let node = Node::new("node1")?;
        let world = Namespace::new()?;
        node.network.ip(&format!(
            "link add eth0 type veth peer name node netns {}\n\
             address add {OWN}/24 dev eth0\nlink set eth0 up\n\
             route add default via {GATEWAY}\n",
            world.path().display()
        ))?;
        world.ip(&format!(
            "address add {GATEWAY}/24 dev node\nlink set node up\n\
             route add 10.244.0.0/16 via {OWN}\n"
        ))?;
        let pod = node.routed("default", "app1", &["10.244.147.92"])?;
        Ok(Self {
            pod,
            node,
            _world: world,
        })
    }

    fn masquerade(&self) -> Result<()> {
        let mut iptables = self.node.network.command("iptables");
        let rule = "-t nat -A POSTROUTING -s 10.244.0.0/16 -o eth0 -j MASQUERADE";
        run("iptables", iptables.args(rule.split(' ')), LIMIT)?.success()?;
        Ok(())
    }

    fn nmap(&self, from: &Namespace, arguments: &str) -> Result<()> {
        let mut nmap = from.command("nmap");
        run("nmap", nmap.arg("-n").args(arguments.split(' ')), LIMIT)?.success()?;
        Ok(())
    }
}

fn is_nodes(event: &Event) -> bool {
    let source = event.source.as_ref();
    source.is_some_and(|it| it.node == "node1" && it.pod.is_empty() && it.interface == "eth0")
}

fn is_pods(event: &Event) -> bool {
    let source = event.source.as_ref();
    source.is_some_and(|it| it.pod == "app1")
}

/// The event of this state that is `of` somebody; all before it must be of the same.
fn only(
    subscription: &mut Subscription,
    state: State,
    detector: &str,
    of: fn(&Event) -> bool,
) -> Result<Event> {
    loop {
        let Item::Event(event) = subscription.next(LIMIT)?.item else {
            continue;
        };
        ensure!(of(&event), "somebody else is told of: {}", event.summary);
        if event.state() == state && event.detector == detector {
            return Ok(event);
        }
    }
}

fn status(watch: &Watch) -> Result<NodeStatus> {
    let nodes = Client::connect(&watch.agent_address(), LIMIT)?.nodes()?;
    let status = nodes.into_iter().next().and_then(|node| node.status);
    status.context("the agent says nothing of itself")
}

fn ports_of_node(watch: &Watch) -> Result<Option<u32>> {
    let slots = status(watch)?.slots;
    let mut own = slots.iter().filter(|slot| slot.uplink);
    let ports = own.next().map(|slot| slot.distinct_ports);
    ensure!(own.next().is_none(), "it has one uplink");
    Ok(ports)
}

#[test]
fn what_the_node_does_is_its_own_and_what_pods_do_is_theirs() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let lab = Lab::new()?;
    let Lab { node, pod, .. } = &lab;
    let watch = Watch::start(node, &[pod], CONFIG, Place::Apart)?;
    wait_for("the uplink to be watched", LIMIT, || ports_of_node(&watch))?;
    let mut events = watch.client()?.subscribe(From::Now(true), LIMIT)?;

    // Routed and masqueraded, its probes and all that comes of them pass the uplink too.
    for masqueraded in [false, true] {
        if masqueraded {
            lab.masquerade()?;
        }
        lab.nmap(&pod.network, &format!("-sT -Pn -p 1-200 {GATEWAY}"))?;
        lab.nmap(&pod.network, &format!("-sS -Pn -p 201-400 {GATEWAY}"))?;
        only(&mut events, State::Opened, "port_scan", is_pods)?;
        ensure!(
            ports_of_node(&watch)? == Some(0),
            "masqueraded: {masqueraded}"
        );
        only(&mut events, State::Closed, "port_scan", is_pods)?;
    }

    for scan in ["-sT", "-sS"] {
        lab.nmap(
            &node.network,
            &format!("{scan} -Pn -p 1-400,8000 {GATEWAY}"),
        )?;
        let opened = only(&mut events, State::Opened, "port_scan", is_nodes)?;
        let told = format!("node node1 ({OWN}) scanned {GATEWAY}: ");
        ensure!(opened.summary.starts_with(&told), "{}", opened.summary);
        only(&mut events, State::Closed, "port_scan", is_nodes)?;
    }

    // Now these ports are the node's as well, and refusals look as if they might be of its own probes.
    lab.nmap(&pod.network, &format!("-sT -Pn -p 1-400 {GATEWAY}"))?;
    only(&mut events, State::Closed, "port_scan", is_pods)?;

    // Whose the addresses are that nobody has, the kernel asks by ARP: for whom, that does not tell.
    lab.nmap(&pod.network, "-sn -PS81 --max-retries 0 192.0.2.32-95")?;
    only(&mut events, State::Opened, "ip_sweep", is_pods)?;
    lab.nmap(&node.network, "-sn --max-retries 0 192.0.2.96-160")?;
    only(&mut events, State::Opened, "ip_sweep", |event| {
        is_nodes(event) || is_pods(event) && event.state() != State::Opened
    })?;
    Ok(())
}

#[test]
fn an_uplink_can_be_left_out() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let lab = Lab::new()?;
    let config = "uplinks: ignore\n";
    let watch = Watch::start(&lab.node, &[&lab.pod], config, Place::Apart)?;
    let status = status(&watch)?;
    let watched: Vec<_> = status.slots.iter().map(|slot| &slot.interface).collect();
    ensure!(watched == [&lab.pod.interface], "{watched:?}");
    ensure!(status.unwatched.is_empty(), "{:?}", status.unwatched);
    Ok(())
}

/// Whoever takes over finds the programs the other way round, and leaves them so.
#[test]
fn an_uplink_is_taken_over_by_the_next_agent() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let lab = Lab::new()?;
    let Lab { node, pod, .. } = &lab;
    let mut watch = Watch::pinned(node, &[pod], CONFIG)?;
    wait_for("the uplink to be watched", LIMIT, || ports_of_node(&watch))?;
    let links = watch
        .pins()?
        .iter()
        .filter(|it| it.contains("/links/"))
        .count();
    ensure!(links == 4, "{links} links");
    watch.kill_agent()?;
    watch.start_agent()?;
    watch.wait_until_attached(&[pod])?;
    wait_for("the uplink to be watched", LIMIT, || ports_of_node(&watch))?;
    let mut events = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    lab.nmap(&node.network, &format!("-sS -Pn -p 1-100 {GATEWAY}"))?;
    only(&mut events, State::Opened, "port_scan", is_nodes)?;
    Ok(())
}
