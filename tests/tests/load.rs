//! Every pod's counts stay exact under load on two CPUs, and beside floods of spoofed sources.

use std::{
    collections::BTreeSet,
    env,
    net::Ipv4Addr,
    sync::{
        Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use agent::datapath::{Datapath, Direction, Injector, monotonic};
use anyhow::{Context, Result, bail, ensure};
use detect::{Class, Count, Observation, Outcome, Subject};
use etherparse::PacketBuilder;
use rustix::thread::{CpuSet, sched_setaffinity};
use tests::{watching, without_root};

/// Contacts in all; more in the variable.
const CONTACTS: u32 = 1_000_000;
const CONTACTS_VARIABLE: &str = "PICKET_LOAD_CONTACTS";
const PORTS: u32 = 65_536;
const DRAIN_EVERY: Duration = Duration::from_millis(10);

/// A pod for each of two senders, and one that both send for; the last is flooded only.
const PODS: usize = 4;
const SHARED: usize = 2;
const FLOODED: usize = 3;

/// Sources that a flood has between two probes.
const SPOOFED: u32 = 20_000;
const PROBES: u32 = 50;

/// What was drained of a pod.
#[derive(Debug, Default)]
struct Total {
    initiated: u64,
    syns: u64,
    ports: BTreeSet<u16>,
    new_ports: u64,
    records: u64,
    dropped: u64,
    /// Ports of destinations whose records came, to tell that none is another pod's.
    pods: BTreeSet<Ipv4Addr>,
}

impl Total {
    fn add(&mut self, observation: &Observation) -> Result<()> {
        self.initiated += observation.initiating_packets();
        self.syns += observation.initiated[Class::Syn as usize];
        self.ports.extend(&observation.tcp_ports);
        self.new_ports += observation.count(Count::NewPorts);
        self.dropped += observation.count(Count::RecordsDropped);
        for contact in &observation.contacts {
            ensure!(matches!(contact.outcome, Outcome::Sent(_)), "{contact:?}");
            if !is_spoof(contact.pod)? {
                self.pods.insert(v4(contact.pod)?);
            }
            self.records += 1;
        }
        Ok(())
    }
}

#[test]
fn contacts_are_counted_exactly_under_load() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let contacts = match env::var(CONTACTS_VARIABLE) {
        Ok(given) => given
            .parse()
            .with_context(|| format!("{CONTACTS_VARIABLE}={given} is no number"))?,
        Err(_) => CONTACTS,
    };
    // Each sender in turns for its own pod and for the shared one.
    let each = contacts / 4;
    let totals = under_drains(|pods, sender, injector| {
        for index in 0..each {
            let own = contact(sender, index, index);
            injector.run(Direction::FromPod, pods[sender].ifindex, &own, 1)?;
            let number = index * 2 + sender as u32;
            let shared = contact(SHARED, number, number);
            injector.run(Direction::FromPod, pods[SHARED].ifindex, &shared, 1)?;
        }
        Ok(())
    })?;
    check(&totals[0], 0, each)?;
    check(&totals[1], 1, each)?;
    check(&totals[SHARED], SHARED, each * 2)?;
    ensure!(totals[FLOODED].initiated == 0, "{:?}", totals[FLOODED]);
    Ok(())
}

/// Between any two of its probes, each scanner and an idle pod are flooded: with packets of the pod's
/// own veth from sources that are not its own, each from another, to one port.
#[test]
fn no_flood_of_sources_costs_a_scanner_s_slot_a_port() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let totals = under_drains(|pods, sender, injector| {
        for probe in 0..PROBES {
            let packet = contact(sender, probe, probe);
            injector.run(Direction::FromPod, pods[sender].ifindex, &packet, 1)?;
            for source in 0..SPOOFED / 2 {
                let number = probe * SPOOFED + source * 2 + sender as u32;
                let packet = spoofed(number)?;
                for pod in [pods[sender], pods[FLOODED]] {
                    injector.run(Direction::FromPod, pod.ifindex, &packet, 1)?;
                }
            }
        }
        Ok(())
    })?;
    let flood = u64::from(PROBES * SPOOFED / 2);
    for (pod, total) in totals.iter().enumerate() {
        let (probes, floods) = match pod {
            SHARED => (0, 0),
            FLOODED => (0, 2),
            _ => (PROBES, 1),
        };
        let sent = u64::from(probes) + floods * flood;
        let ports: BTreeSet<u16> = (0..probes)
            .map(port)
            .chain((floods > 0).then_some(FLOOD_PORT))
            .collect();
        ensure!(total.syns == sent, "pod {pod}: {sent} sent, {total:?}");
        ensure!(total.ports == ports, "pod {pod}: {ports:?} sent, {total:?}");
        ensure!(
            total.new_ports == ports.len() as u64,
            "pod {pod}: {total:?}"
        );
    }
    Ok(())
}

fn check(total: &Total, pod: usize, contacts: u32) -> Result<()> {
    let sent = u64::from(contacts);
    let ports: BTreeSet<u16> = (0..contacts.min(PORTS)).map(port).collect();
    ensure!(
        total.syns == sent && total.initiated == sent,
        "pod {pod}: {sent} packets sent, {} drained",
        total.initiated
    );
    ensure!(
        total.ports == ports,
        "pod {pod}: {} ports sent, {} drained",
        ports.len(),
        total.ports.len()
    );
    ensure!(
        total.new_ports == ports.len() as u64,
        "pod {pod}: {} ports sent, the kernel counted {}",
        ports.len(),
        total.new_ports
    );
    ensure!(
        total.records + total.dropped == sent,
        "pod {pod}: {sent} contacts, {} records, {} dropped",
        total.records,
        total.dropped
    );
    ensure!(total.records > 0, "pod {pod}: no records");
    ensure!(
        total.pods == BTreeSet::from([address(pod)]),
        "pod {pod} has records of {:?}",
        total.pods
    );
    Ok(())
}

/// Runs a sender on each of two CPUs, and drains all pods meanwhile at 100 Hz.
fn under_drains(
    send: impl Fn(&[Subject], usize, &Injector) -> Result<()> + Sync + Send,
) -> Result<Vec<Total>> {
    watching(PODS as u32, |datapath, pods| {
        let injectors = [datapath.injector()?, datapath.injector()?];
        drain_while_sending(datapath, pods, &injectors, &send)
    })
}

fn drain_while_sending(
    datapath: &mut Datapath,
    pods: &[Subject],
    injectors: &[Injector],
    send: &(impl Fn(&[Subject], usize, &Injector) -> Result<()> + Sync),
) -> Result<Vec<Total>> {
    let barrier = Barrier::new(injectors.len());
    let sending = AtomicUsize::new(injectors.len());
    thread::scope(|scope| {
        let senders: Vec<_> = injectors
            .iter()
            .enumerate()
            .map(|(sender, injector)| {
                let (barrier, sending) = (&barrier, &sending);
                scope.spawn(move || {
                    let sent = pinned(sender).and_then(|()| {
                        barrier.wait();
                        send(pods, sender, injector)
                    });
                    sending.fetch_sub(1, Ordering::Release);
                    sent
                })
            })
            .collect();
        let mut totals: Vec<Total> = pods.iter().map(|_| Total::default()).collect();
        loop {
            let last = sending.load(Ordering::Acquire) == 0;
            for observation in datapath.drain(monotonic()) {
                let pod = pods.iter().position(|it| *it == observation.subject);
                totals[pod.context("an observation of nobody")?].add(&observation)?;
            }
            if last {
                break;
            }
            thread::park_timeout(DRAIN_EVERY);
        }
        for sender in senders {
            sender
                .join()
                .unwrap_or_else(|_| bail!("a sender panicked"))?;
        }
        Ok(totals)
    })
}

fn pinned(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu % thread::available_parallelism()?.get());
    Ok(sched_setaffinity(None, &set)?)
}

fn port(number: u32) -> u16 {
    // Neighbouring numbers in distant words, as a scanner shuffles them.
    (number.wrapping_mul(40_503) % PORTS) as u16
}

fn address(pod: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, pod as u8)
}

/// The SYN of `pod` to the port of this number, and to a host so that no two are the same contact.
fn contact(pod: usize, number: u32, host: u32) -> Vec<u8> {
    let peer = Ipv4Addr::from_bits(u32::from(Ipv4Addr::new(10, 1, 0, 0)) + host / PORTS);
    syn(address(pod), peer, port(number))
}

const FLOOD_PORT: u16 = 1;

fn spoofed(number: u32) -> Result<Vec<u8>> {
    let source = u32::from(Ipv4Addr::new(172, 16, 0, 0)).checked_add(number);
    let source = Ipv4Addr::from_bits(source.context("out of sources")?);
    Ok(syn(source, Ipv4Addr::new(10, 1, 0, 0), FLOOD_PORT))
}

fn is_spoof(address: std::net::IpAddr) -> Result<bool> {
    Ok(v4(address)?.octets()[0] == 172)
}

fn v4(address: std::net::IpAddr) -> Result<Ipv4Addr> {
    match address {
        std::net::IpAddr::V4(address) => Ok(address),
        std::net::IpAddr::V6(address) => bail!("{address} is no address of these packets"),
    }
}

fn syn(source: Ipv4Addr, destination: Ipv4Addr, port: u16) -> Vec<u8> {
    let mut packet = Vec::with_capacity(64);
    let built = PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4(source.octets(), destination.octets(), 64)
        .tcp(40_000, port, 1, 1024)
        .syn()
        .write(&mut packet, &[]);
    assert!(built.is_ok(), "a SYN without payload can be built");
    packet
}
