//! A pod that lies: it can neither blame an innocent nor hide behind itself.

use std::{
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Result, ensure};
use api::v1::{Event, State, subscribe_request::From};
use rustix::net::{AddressFamily, Protocol, SendFlags, SocketType, sendto, socket};
use tests::{
    Node, Place, Pod, Story, Watch,
    packet::{ACK, RST, SYN, Tcp, raw},
    run, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

fn v4(pod: &Pod) -> Result<Ipv4Addr> {
    match pod.address() {
        IpAddr::V4(address) => Ok(address),
        IpAddr::V6(_) => anyhow::bail!("{} has no IPv4 address", pod.name),
    }
}

/// Sends packets as they are from within a pod.
fn send(pod: &Pod, packets: Vec<(Ipv4Addr, Vec<u8>)>) -> Result<()> {
    pod.network.enter(move || -> Result<()> {
        let socket = socket(AddressFamily::INET, SocketType::RAW, Some(IPPROTO_RAW))?;
        for (destination, packet) in packets {
            let to = SocketAddr::from((destination, 0));
            sendto(&socket, &packet, SendFlags::empty(), &to)?;
        }
        Ok(())
    })?
}

const IPPROTO_RAW: Protocol = rustix::net::ipproto::RAW;

/// A real scan of app1 by nmap proves that the watch was on, and is all that is told of.
fn only_the_scan_is_told(watch: &Watch, scanner: &Pod, target: &Pod) -> Result<Vec<Event>> {
    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let address = target.address().to_string();
    run(
        "nmap",
        scanner.command("nmap").args(["-n", &address]),
        LIMIT,
    )?
    .success()?;
    subscription.event(LIMIT, |event| event.state() == State::Closed)?;
    watch.client()?.events()
}

#[test]
fn others_cannot_make_an_innocent_look_refused() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story {
        app1: innocent,
        app2: server,
        node,
    } = &story;
    let liar = node.routed("evil", "liar", &["10.244.147.94"])?;
    let watch = Watch::start(node, &[innocent, server, &liar], AGENT_CONFIG, Place::Apart)?;
    let ports: Vec<u16> = (12_000..12_020).collect();
    let _server = server.serve(&ports)?;
    for &port in &ports {
        let to = SocketAddr::from((v4(server)?, port));
        let mut connection = innocent.network.enter(|| TcpStream::connect(to))??;
        connection.write_all(b"x")?;
        let _end = connection.read(&mut [0])?;
    }
    // In its own name, and in the server's.
    for name in [v4(&liar)?, v4(server)?] {
        let lies = ports.iter().map(|&port| {
            let refusal = Tcp {
                flags: RST | ACK,
                ..Tcp::default()
            };
            Ok((
                v4(innocent)?,
                raw(name, v4(innocent)?, port, 40_000, &refusal),
            ))
        });
        send(&liar, lies.collect::<Result<_>>()?)?;
    }
    for event in only_the_scan_is_told(&watch, &liar, server)? {
        ensure!(
            event.source.as_ref().is_some_and(|it| it.pod == "liar"),
            "{event:?}"
        );
    }
    Ok(())
}

#[test]
fn a_scanner_cannot_answer_itself() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story {
        app1: liar,
        app2: victim,
        node,
    } = &story;
    no_reverse_path_filter(node)?;
    let watch = Watch::start(node, &[liar, victim], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let (own, other) = (v4(liar)?, v4(victim)?);
    let packets = (1000..1200).flat_map(|port| {
        let probe = Tcp {
            flags: SYN,
            ..Tcp::default()
        };
        let answer = Tcp {
            flags: SYN | ACK,
            ..Tcp::default()
        };
        [
            (own, raw(other, own, port, 40_000, &answer)),
            (other, raw(own, other, 40_000, port, &probe)),
            (own, raw(other, own, port, 40_000, &answer)),
        ]
    });
    send(liar, packets.collect())?;
    let (opened, _) = subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    ensure!(
        opened.source.as_ref().is_some_and(|it| it.pod == "app1"),
        "{opened:?}"
    );
    Ok(())
}

/// What an attacker would hope for: the node takes any source from any interface.
fn no_reverse_path_filter(node: &Node) -> Result<()> {
    for interface in ["all", "default", "cali-app1"] {
        let name = format!("net/ipv4/conf/{interface}/rp_filter");
        node.network.write_sysctl(&name, "0")?;
    }
    Ok(())
}

#[test]
fn a_forged_source_does_not_name_its_owner() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    node.bridge("10.244.7.1/24")?;
    let liar = node.bridged("evil", "liar", "10.244.7.2/24")?;
    let innocent = node.bridged("shop", "innocent", "10.244.7.3/24")?;
    let victim = node.bridged("shop", "victim", "10.244.7.4/24")?;
    let watch = Watch::start(
        &node,
        &[&liar, &innocent, &victim],
        AGENT_CONFIG,
        Place::Apart,
    )?;
    wait_until_known(&watch, &liar)?;
    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let (forged, target) = (v4(&innocent)?, v4(&victim)?);
    let probe = Tcp {
        flags: SYN,
        ..Tcp::default()
    };
    let packets = (1000..1040).map(|port| (target, raw(forged, target, 40_000, port, &probe)));
    send(&liar, packets.collect())?;
    let (opened, _) = subscription.event(LIMIT, |event| event.state() == State::Opened)?;
    let source = opened.source.clone().unwrap_or_default();
    ensure!(source.interface == liar.interface, "{opened:?}");
    ensure!(
        source.uid == "uid-liar" && source.address == liar.address().to_string(),
        "somebody else is named: {opened:?}"
    );
    Ok(())
}

fn wait_until_known(watch: &Watch, pod: &Pod) -> Result<()> {
    wait_for("a pod to be known", LIMIT, || {
        let nodes = watch.client()?.nodes()?;
        let mut slots = nodes
            .iter()
            .flat_map(|it| &it.status)
            .flat_map(|it| &it.slots);
        Ok(slots.any(|slot| slot.pod == pod.name).then_some(()))
    })
}
