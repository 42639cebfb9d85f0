//! A probe fails in more than one way, and each way is evidence.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use anyhow::{Result, anyhow, ensure};
use api::v1::{Event, Measure, State, Technique, subscribe_request::From};
use tests::{Node, Place, Pod, Story, Subscription, Watch, run, without_root};

const LIMIT: Duration = Duration::from_secs(60);
/// What fails is all that counts.
const AGENT_CONFIG: &str = "
detectors:
  port_scan: {quiet: 3s, crafted_ports_per_hour: 65536, low_ports_per_minute: 65536}
  port_scan_target: {mode: off}
  ip_sweep: {mode: off}
";
const PORTS: u32 = 40;

/// Routed to app2, which is not its owner and so stays silent.
const SILENT: &str = "10.244.147.99";
/// Routed nowhere, as the node says by ICMP, but not more often than once a second.
const UNREACHABLE: &str = "192.0.2.1";

#[test]
fn refused_silent_and_unreachable_ports_are_evidence() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let stranger = "02:00:00:00:00:99";
    node.network.ip(&format!(
        "route add {SILENT}/32 dev {0}\nneigh add {SILENT} lladdr {stranger} dev {0} nud permanent\n",
        app2.interface
    ))?;
    let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let cases: [(IpAddr, RangeInclusive<u32>); 5] = [
        (app2.addresses[0], PORTS..=PORTS),
        (app2.addresses[1], PORTS..=PORTS),
        (SILENT.parse()?, 0..=0),
        (UNREACHABLE.parse()?, 1..=PORTS),
        (app2.addresses[0], PORTS..=PORTS),
    ];
    for (target, refused) in cases {
        let closed = scan(app1, target, &[], 1, &mut subscription)
            .map_err(|error| anyhow!("{target}: {error:#}{}", watch.log()))?;
        let counts = closed.ports.unwrap_or_default();
        assert_eq!(counts.distinct, PORTS, "{target}");
        assert!(refused.contains(&counts.refused), "{target}: {counts:?}");
        assert_eq!(
            counts.silent,
            PORTS - counts.refused,
            "{target}: {counts:?}"
        );
    }
    Ok(())
}

#[test]
fn a_scan_over_a_bridge_is_told() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    node.bridge("10.244.1.1/24")?;
    let app1 = node.bridged("default", "app1", "10.244.1.2/24")?;
    let app2 = node.bridged("blue", "app2", "10.244.1.3/24")?;
    let watch = Watch::start(&node, &[&app1, &app2], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let closed = scan(&app1, app2.address(), &[], 1, &mut subscription)
        .map_err(|error| anyhow!("{error:#}{}", watch.log()))?;
    assert_eq!(closed.ports.unwrap_or_default().refused, PORTS);
    Ok(())
}

/// A window scan sends what an ACK scan does.
#[test]
fn scans_without_a_whole_syn_are_told_by_their_technique() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let cases: [(&[&str], Technique); 4] = [
        (&["-sA"], Technique::TcpAck),
        (&["-sW"], Technique::TcpAck),
        (&["-sM"], Technique::TcpMaimon),
        (&["-sS", "-f"], Technique::TinyFragment),
    ];
    for ((how, technique), first) in cases.into_iter().zip((1..).step_by(100)) {
        let closed = scan(app1, app2.addresses[0], how, first, &mut subscription)
            .map_err(|error| anyhow!("{how:?}: {error:#}{}", watch.log()))?;
        assert_eq!(closed.technique(), technique, "{how:?}");
        let counts = closed.ports.unwrap_or_default();
        assert_eq!((counts.distinct, counts.refused), (PORTS, PORTS), "{how:?}");
    }
    Ok(())
}

/// Lets app1 scan from port `first` on, and returns the closing event.
fn scan(
    app1: &Pod,
    target: IpAddr,
    how: &[&str],
    first: u32,
    subscription: &mut Subscription,
) -> Result<Event> {
    let mut nmap = app1.command("nmap");
    nmap.args(["-n", "-Pn", "-T4", "--max-retries", "0"]);
    nmap.args(target.is_ipv6().then_some("-6"));
    nmap.args(how);
    nmap.arg(format!("-p{first}-{}", first + PORTS - 1));
    nmap.arg(target.to_string());
    run("nmap", &mut nmap, LIMIT)?.success()?;
    let (opened, _) = subscription.event(LIMIT, |_| true)?;
    ensure!(opened.state() == State::Opened, "it begins with {opened:?}");
    let source = opened.source.clone().unwrap_or_default();
    ensure!(source.pod == "app1", "an innocent is accused: {opened:?}");
    let crossed = opened.crossed.unwrap_or_default();
    assert_eq!(crossed.measure(), Measure::FailedPortsPerDestination);
    let target = target.to_string();
    let targets = opened
        .targets
        .iter()
        .filter_map(|target| target.endpoint.as_ref());
    ensure!(
        targets.map(|endpoint| &endpoint.address).eq([&target]),
        "{opened:?}"
    );
    let (closed, _) = subscription.event(LIMIT, |event| {
        event.anomaly_id == opened.anomaly_id && event.state() == State::Closed
    })?;
    Ok(closed)
}
