//! Programs are replaced under traffic, and no packet passes by.

use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, anyhow, ensure};
use rustix::net::{AddressFamily, SocketType, netdevice};
use tests::{
    Flood, Namespace, Node, Watch, bpf,
    packet::{SYN, Tcp, from_pod},
    scrape, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(60);
const REPLACEMENTS: u32 = 2_000;
/// Packets of the flood at least, however soon the replacements are done.
const PACKETS: u64 = 1_000_000;

#[test]
fn no_packet_passes_by_while_programs_are_replaced() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let node = Node::new("node1")?;
    let pod = node.routed("default", "app1", &["10.244.147.92"])?;
    let mut watch = Watch::pinned(&node, &[&pod], "sample_rate: 1\n")?;
    let bpffs = watch.bpffs()?.root().join("sys/fs/bpf");
    let pin = |watch: &Watch, part: &str| -> Result<PathBuf> {
        let pins = watch.pins()?;
        let path = pins.iter().find(|path| path.contains(part));
        Ok(bpffs.join(path.with_context(|| format!("no {part} in {pins:?}"))?))
    };
    let first = bpf::pinned(&pin(&watch, "/programs/from_pod")?)?;
    watch.kill_agent()?;
    watch.start_agent()?;
    watch.wait_until_attached(&[&pod])?;
    // Both work on the same maps: the second was loaded to take over from the first.
    let second = bpf::pinned(&pin(&watch, "/programs/from_pod")?)?;
    let link = bpf::pinned(&pin(&watch, "-from_pod")?)?;

    let before = counted(&node.network)?;
    let packet = from_pod(&Tcp {
        port: 80,
        flags: SYN,
        ..Tcp::default()
    });
    let flood = pod.network.enter(|| {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
        Flood::new(netdevice::name_to_index(socket, "eth0")?, &packet)
    })??;
    let (replaced, begun) = (AtomicBool::new(false), AtomicBool::new(false));
    #[expect(
        clippy::disallowed_methods,
        reason = "the rate is reported, not judged"
    )]
    let start = Instant::now();
    let sent = thread::scope(|scope| {
        let sender = scope.spawn(|| {
            let mut batches = 0;
            flood.run(|| {
                begun.store(true, Relaxed);
                batches += 1;
                !replaced.load(Relaxed) || batches < PACKETS / 64 + 2
            })
        });
        while !begun.load(Relaxed) {
            thread::yield_now();
        }
        let updated = (0..REPLACEMENTS / 2).try_for_each(|_| {
            bpf::update(&link, &first)?;
            bpf::update(&link, &second)
        });
        replaced.store(true, Relaxed);
        let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
        updated.and(sent)
    })?;
    let seconds = start.elapsed().as_secs_f64();
    println!(
        "{REPLACEMENTS} replacements, {sent} packets, {:.0} a second",
        sent as f64 / seconds
    );
    ensure!(sent >= PACKETS, "only {sent} packets were sent");
    wait_for("every packet to be counted", LIMIT, || {
        Ok((counted(&node.network)? - before >= sent).then_some(()))
    })
    .with_context(|| format!("{} of {sent}", counted(&node.network).unwrap_or(0) - before))?;
    assert_eq!(counted(&node.network)? - before, sent);
    Ok(())
}

/// Each agent is killed before the flood begins, so that whatever is sent is counted by the next one or by nobody.
#[test]
fn no_packet_passes_by_while_an_agent_takes_over_from_another() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for attach in ["tcx", "clsact"] {
        let node = Node::new("node1")?;
        let pod = node.routed("default", "app1", &["10.244.147.92"])?;
        let config = |slots: u32| format!("sample_rate: 1\nattach: {attach}\nslots: {slots}\n");
        let mut watch = Watch::pinned(&node, &[&pod], &config(16))?;
        let flood = pod.network.enter(|| {
            let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
            let packet = from_pod(&Tcp {
                port: 80,
                flags: SYN,
                ..Tcp::default()
            });
            Flood::new(netdevice::name_to_index(socket, "eth0")?, &packet)
        })??;
        for slots in [16, 17, 16, 24] {
            watch.kill_agent()?;
            watch.configure_agent(&config(slots))?;
            let (replaced, begun) = (AtomicBool::new(false), AtomicBool::new(false));
            let sent = thread::scope(|scope| {
                let sender = scope.spawn(|| {
                    flood.run(|| {
                        begun.store(true, Relaxed);
                        !replaced.load(Relaxed)
                    })
                });
                while !begun.load(Relaxed) {
                    thread::yield_now();
                }
                let started = watch.start_agent();
                let started = started.and_then(|()| watch.wait_until_attached(&[&pod]));
                // What was left of the former agent is gone by the first status, and a little later the flood ends.
                let counted = started.and_then(|()| {
                    wait_for("packets", LIMIT, || {
                        Ok((counted(&node.network)? >= PACKETS / 2).then_some(()))
                    })
                });
                replaced.store(true, Relaxed);
                let sent = sender.join().map_err(|_| anyhow!("the sender panicked"))?;
                counted.and(sent)
            })?;
            let all = || Ok((counted(&node.network)? >= sent).then_some(()));
            wait_for("every packet to be counted", LIMIT, all)
                .with_context(|| format!("{} of {sent}", counted(&node.network).unwrap_or(0)))?;
            println!(
                "{attach}, to {slots} slots: {sent} packets, {} counted",
                counted(&node.network)?
            );
            assert_eq!(
                counted(&node.network)?,
                sent,
                "{attach}, to {slots} slots: {}",
                watch.log()
            );
        }
        watch.stop_agent()?;
    }
    Ok(())
}

/// TCP connections that the agent in this namespace has counted the beginnings of.
fn counted(network: &Namespace) -> Result<u64> {
    const NAME: &str = "picket_agent_initiating_packets_total{class=\"tcp_syn\"";
    let text = scrape(network, ([127, 0, 0, 1], 7403).into())?;
    let classes: Vec<_> = text.lines().filter(|it| it.starts_with(NAME)).collect();
    ensure!(!classes.is_empty(), "no such metric");
    let mut packets = 0;
    for line in classes {
        let (_, value) = line.rsplit_once(' ').context("no value")?;
        packets += value.parse::<u64>()?;
    }
    Ok(packets)
}
