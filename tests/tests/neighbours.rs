//! Programs of others at the same veth see every packet and stay, however often the agent comes and goes.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use api::v1::{State, subscribe_request::From};
use rustix::process::Signal;
use tests::{Capture, Node, Place, Pod, Story, Watch, run, visit, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const RESTARTS: usize = 100;
const DIRECTIONS: [&str; 2] = ["ingress", "egress"];
const ATTACHMENTS: [&str; 2] = ["tcx", "clsact"];

#[test]
fn a_program_behind_ours_sees_every_packet() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for attachment in ATTACHMENTS {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        let foreign = Foreign::attach(node, app1)?;
        let config = format!("attach: {attachment}\n");
        let watch = Watch::start(node, &[app1, app2], &config, Place::Apart)?;
        let _server = app2.serve(&[80])?;
        let capture = Capture::start(&node.network, &app1.interface)?;
        let before = foreign.counts(node)?;
        let target = app2.address().to_string();
        run(
            "nmap",
            app1.command("nmap").args(["-n", "-p1-1000", &target]),
            LIMIT,
        )?
        .success()?;
        let packets = capture.finish()?;
        let after = foreign.counts(node)?;
        for (direction, from, to) in [("ingress", app1, app2), ("egress", app2, app1)] {
            let passed = packets.between(from.address(), to.address());
            ensure!(passed >= 1000, "{attachment}: only {passed} packets passed");
            assert_eq!(
                after[direction] - before[direction],
                passed as u64,
                "{attachment} {direction}{}",
                watch.log()
            );
        }
    }
    Ok(())
}

#[test]
fn a_hundred_restarts_lose_no_packet_and_remove_nothing_foreign() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for attachment in ATTACHMENTS {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        let _foreign = Foreign::attach(node, app1)?;
        let foreign_rules = rules(node, app1)?;
        let config = format!("attach: {attachment}\n");
        let mut watch = Watch::start(node, &[app1, app2], &config, Place::Apart)?;
        watch.wait_until_attached(&[app1, app2])?;
        let _server = app2.serve(&[80])?;
        // On tcx half of them get no chance to say goodbye. A filter on clsact outlives who is killed.
        let ends = [
            Signal::TERM,
            if attachment == "tcx" {
                Signal::KILL
            } else {
                Signal::TERM
            },
        ];
        under_traffic(app1, app2, || {
            for restart in 0..RESTARTS {
                let mut agent = watch.agent.take().context("no agent")?;
                agent.signal(ends[restart % 2])?;
                agent.wait(LIMIT)?;
                watch.start_agent()?;
                watch.wait_until_attached(&[app1, app2])?;
            }
            Ok(())
        })?;

        let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
        watch.wait_until_watched(&[app1, app2])?;
        let target = app2.address().to_string();
        run("nmap", app1.command("nmap").args(["-n", &target]), LIMIT)?.success()?;
        subscription
            .event(LIMIT, |event| event.state() == State::Opened)
            .with_context(|| watch.log())?;
        watch.stop_agent()?;
        assert_eq!(rules(node, app1)?, foreign_rules, "{attachment}");
    }
    Ok(())
}

#[test]
fn two_agents_at_one_veth_both_see_every_packet() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for [ours, theirs] in [["tcx", "tcx"], ["tcx", "clsact"], ["clsact", "clsact"]] {
        let story = Story::new()?;
        let Story { app1, app2, node } = &story;
        let config = |attachment, port| {
            format!(
                "attach: {attachment}\nmetrics: 127.0.0.1:{port}\ndetectors: {{port_scan: {{quiet: 2s}}, port_scan_target: {{mode: off}}}}\n"
            )
        };
        let pods = [app1, app2];
        let ours = Watch::start(node, &pods, &config(ours, 7403), Place::Apart)?;
        let theirs = Watch::start(node, &pods, &config(theirs, 7503), Place::Apart)?;
        let capture = Capture::start(&node.network, &app1.interface)?;
        let target = app2.address().to_string();
        run("nmap", app1.command("nmap").args(["-n", &target]), LIMIT)?.success()?;
        let captured = capture.finish()?.ports_initiated_by(app1.address());
        for watch in [&ours, &theirs] {
            let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
            let (closed, _) = subscription
                .event(LIMIT, |event| event.state() == State::Closed)
                .with_context(|| watch.log())?;
            let counted = closed.ports.unwrap_or_default().distinct;
            assert_eq!(usize::try_from(counted)?, captured.len());
        }
    }
    Ok(())
}

/// Of each packet whether it is IPv4 and TCP, in classic BPF.
const IS_TCP: &str = "4,48 0 0 23,21 0 1 6,6 0 0 4294967295,6 0 0 0";

/// Filters of somebody else on clsact, which count every TCP packet by mirroring it to a dead end.
struct Foreign {
    interface: String,
}

impl Foreign {
    fn attach(node: &Node, pod: &Pod) -> Result<Self> {
        let interface = &pod.interface;
        node.network
            .ip("link add foreign type veth peer name dead-end\nlink set foreign up\n")?;
        tc(node, &["qdisc", "add", "dev", interface, "clsact"])?;
        for direction in DIRECTIONS {
            let filter = [
                "filter", "add", "dev", interface, direction, "protocol", "ip",
            ];
            let counts = ["bpf", "bytecode", IS_TCP, "action"];
            let mirror = ["mirred", "egress", "mirror", "dev", "foreign"];
            tc(node, &[&filter[..], &counts, &mirror].concat())?;
        }
        Ok(Self {
            interface: interface.clone(),
        })
    }

    /// Packets seen, by direction.
    fn counts(&self, node: &Node) -> Result<BTreeMap<&'static str, u64>> {
        let count = |direction| {
            let shown = tc(
                node,
                &["-s", "filter", "show", "dev", &self.interface, direction],
            )?;
            let mut words = shown.split_whitespace().skip_while(|word| *word != "Sent");
            let packets = words
                .nth(3)
                .with_context(|| format!("no count in {shown}"))?;
            Ok((direction, packets.parse()?))
        };
        DIRECTIONS.into_iter().map(count).collect()
    }
}

/// Every qdisc and filter at the host side of the pod's veth.
fn rules(node: &Node, pod: &Pod) -> Result<String> {
    let interface = &pod.interface;
    let mut rules = tc(node, &["qdisc", "show", "dev", interface])?;
    for direction in DIRECTIONS {
        rules += &tc(node, &["filter", "show", "dev", interface, direction])?;
    }
    Ok(rules)
}

fn tc(node: &Node, arguments: &[&str]) -> Result<String> {
    let mut command = node.network.command("tc");
    Ok(run("tc", command.args(arguments), LIMIT)?.success()?.stdout)
}

/// Runs `meanwhile` while the client connects to the server without a pause; no packet may be lost.
fn under_traffic(client: &Pod, server: &Pod, meanwhile: impl FnOnce() -> Result<()>) -> Result<()> {
    // Enough client ports for a minute of connections.
    client.network.write_sysctl("net/ipv4/tcp_tw_reuse", "1")?;
    let stop = AtomicBool::new(false);
    let connections = AtomicU64::new(0);
    let traffic = || {
        while !stop.load(Ordering::Relaxed) {
            visit((server.address(), 80).into())?;
            connections.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    };
    thread::scope(|scope| {
        let traffic = scope.spawn(|| -> Result<()> { client.network.enter(traffic)? });
        let flowing = wait_for("traffic", LIMIT, || {
            Ok((connections.load(Ordering::Relaxed) > 0).then_some(()))
        });
        let done = flowing.and_then(|()| meanwhile());
        stop.store(true, Ordering::Relaxed);
        let ended = traffic
            .join()
            .map_err(|_| anyhow::anyhow!("the traffic panicked"))?;
        done.and(ended)
    })?;
    let connections = connections.into_inner();
    for (from, to) in [(client, server), (server, client)] {
        let missing = || -> Result<u64> {
            Ok(Segments::of(from)?
                .sent
                .abs_diff(Segments::of(to)?.received))
        };
        wait_for("the last segments to arrive", LIMIT, || {
            Ok((missing()? == 0).then_some(()))
        })
        .with_context(|| format!("{:?} lost of {connections} connections", missing()))?;
    }
    Ok(())
}

/// TCP segments of a pod since it was made, retransmissions included.
struct Segments {
    sent: u64,
    received: u64,
}

impl Segments {
    fn of(pod: &Pod) -> Result<Self> {
        let snmp = pod
            .network
            .enter(|| fs::read_to_string("/proc/thread-self/net/snmp"))??;
        let mut tcp = snmp.lines().filter(|line| line.starts_with("Tcp:"));
        let (names, values) = tcp.next().zip(tcp.next()).context("no TCP counters")?;
        let named = names.split(' ').zip(values.split(' '));
        let named: BTreeMap<_, _> = named.collect();
        let count =
            |name| Ok::<u64, anyhow::Error>(named.get(name).context("no counter")?.parse()?);
        Ok(Self {
            // RFC 4022 leaves retransmissions out of the segments sent.
            sent: count("OutSegs")? + count("RetransSegs")?,
            received: count("InSegs")?,
        })
    }
}
