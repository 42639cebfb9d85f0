//! Real scanners in a real network, routed and bridged: each is told of while it runs or soon after, by its
//! name, and nobody else is accused.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use api::v1::{Endpoint, Event, State, subscribe_request::From};
use rustix::{
    io::Errno,
    net::{AddressFamily, SocketType, bind, connect, socket},
};
use tests::{Client, Node, Place, Pod, Process, Story, Watch, without_root};

/// nmap's `-T1` waits 15 s between two probes.
const LIMIT: Duration = Duration::from_secs(240);
/// Open on the victim.
const OPEN: [u16; 9] = [22, 80, 443, 2379, 3306, 5432, 6379, 8080, 9200];

/// A scanner, what it runs, and the detector that must tell of it.
type Scan = (&'static str, &'static str, &'static str);

const SCANS: [Scan; 9] = [
    ("t5", "-T5 -sS -p 1-40", "port_scan"),
    ("t4", "-T4 -sT -p 1-40", "port_scan"),
    ("t3", "-T3 -sU -p 1-40", "port_scan"),
    ("t2", "-T2 -sT -p 1-40", "port_scan"),
    ("t1", "-T1 -sS -p 1-16", "port_scan"),
    (
        "chosen",
        "-sS -p 22,80,443,2379,3306,5432,6379,6443,8080,9200,10250,27017",
        "port_scan",
    ),
    (
        "open",
        "-sS -p 22,80,443,2379,3306,5432,6379,8080,9200",
        "port_scan",
    ),
    ("decoys", "-sS -p 1-40 -D RND:10", "port_scan"),
    ("sweep", "-T4 -sn -PE", "ip_sweep"),
];

#[test]
fn scanners_of_routed_pods_are_told_of() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    let pod = |n: usize, name| node.routed("default", name, &[&format!("10.244.147.{}", 10 + n)]);
    let victim = node.routed("blue", "victim", &["10.244.147.93"])?;
    let scanners = SCANS.iter().zip(0..).map(|((name, ..), n)| pod(n, *name));
    check(
        &node,
        &victim,
        &scanners.collect::<Result<Vec<_>>>()?,
        "10.244.147.128/25",
    )
}

#[test]
fn scanners_of_bridged_pods_are_told_of() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    node.bridge("10.244.5.1/24")?;
    let pod = |n: usize, name| node.bridged("default", name, &format!("10.244.5.{}/24", 10 + n));
    let victim = node.bridged("blue", "victim", "10.244.5.93/24")?;
    let scanners = SCANS.iter().zip(0..).map(|((name, ..), n)| pod(n, *name));
    check(
        &node,
        &victim,
        &scanners.collect::<Result<Vec<_>>>()?,
        "10.244.5.128/25",
    )
}

/// All scans at once, each from its own pod.
fn check(node: &Node, victim: &Pod, scanners: &[Pod], dead: &str) -> Result<()> {
    let _server = victim.serve(&OPEN)?;
    let mut pods: Vec<&Pod> = scanners.iter().collect();
    pods.push(victim);
    let watch = Watch::start(node, &pods, "", Place::Apart)?;
    let client = watch.client()?;
    let mut subscription = client.subscribe(From::Now(true), LIMIT)?;
    let mut running = Vec::new();
    for (pod, (name, how, _)) in scanners.iter().zip(SCANS) {
        let target = if name == "sweep" {
            dead.to_owned()
        } else {
            victim.address().to_string()
        };
        let mut nmap = pod.command("nmap");
        nmap.args(["-n", "--max-retries", "1"]);
        nmap.args((name != "sweep").then_some("-Pn"));
        nmap.args(how.split(' ')).arg(target);
        running.push(Process::spawn("nmap", &mut nmap)?);
    }
    let mut missing: Vec<_> = SCANS.iter().map(|(name, _, by)| (*name, *by)).collect();
    while !missing.is_empty() {
        let told = subscription.event(LIMIT, |event| event.state() == State::Opened);
        let (event, _) = told.map_err(|error| anyhow!("{missing:?}: {error:#}{}", watch.log()))?;
        let source = event.source.clone().unwrap_or_default();
        missing.retain(|&(name, by)| !is(&source, name) || event.detector != by);
    }
    drop(running);
    only_scanners_are_accused(&client)
}

fn only_scanners_are_accused(client: &Client) -> Result<()> {
    for event in client.events()? {
        let source = event.source.clone().unwrap_or_default();
        let scanner = SCANS.iter().any(|(name, ..)| is(&source, name));
        // What several do to one victim has no single source.
        let shared = ["port_scan_target", "distributed_scan"].contains(&event.detector.as_str());
        let nobody = source == Endpoint::default() && shared;
        ensure!(scanner || nobody, "an innocent is accused: {event:?}");
    }
    Ok(())
}

/// Of a bridged pod that nobody ever answered only the interface is known.
fn is(source: &Endpoint, pod: &str) -> bool {
    source.pod == pod || source.pod.is_empty() && source.interface == format!("cali-{pod}")
}

/// Sixty sources that nobody watches try ten ports each: only the victim sees all of it.
#[test]
fn a_scan_by_many_sources_is_told_by_its_victim() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let Story { app1, app2, node } = Story::new()?;
    let sources: Vec<IpAddr> = (1..=60).map(|n| IpAddr::from([192, 0, 2, n])).collect();
    let lines = sources
        .iter()
        .map(|it| format!("addr add {it}/32 dev lo\n"));
    node.network.ip(&lines.collect::<String>())?;
    let watch = Watch::start(&node, &[&app1, &app2], "", Place::Apart)?;
    let client = watch.client()?;
    let mut subscription = client.subscribe(From::Now(true), LIMIT)?;
    let victim = app2.address();
    node.network.enter(|| {
        for (source, first) in sources.iter().zip((1000..).step_by(10)) {
            for port in first..first + 10 {
                ensure!(
                    refuses(*source, (victim, port).into())?,
                    "{victim}:{port} is open"
                );
            }
        }
        Ok(())
    })??;
    let opened = |event: &Event| event.detector == "port_scan_target";
    let told = subscription.event(LIMIT, opened);
    let (event, _) = told.map_err(|error| anyhow!("{error:#}{}", watch.log()))?;
    let target = event.targets.first().context("a target")?;
    let endpoint = target.endpoint.clone().unwrap_or_default();
    ensure!(
        endpoint.pod == "app2" && event.summary.contains("blue/app2"),
        "{event:?}"
    );
    for event in client.events()? {
        let source = event.source.unwrap_or_default();
        ensure!(source.pod.is_empty(), "{source:?} is accused");
    }
    Ok(())
}

/// Tries to connect from an address of this namespace; whether that was refused.
fn refuses(from: IpAddr, to: SocketAddr) -> Result<bool> {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None)?;
    bind(&socket, &SocketAddr::from((from, 0)))?;
    match connect(&socket, &to) {
        Ok(()) => Ok(false),
        Err(Errno::CONNREFUSED) => Ok(true),
        Err(error) => Err(error.into()),
    }
}
