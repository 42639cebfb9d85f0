//! The read-out loses nothing and counts nothing twice, under traffic on two CPUs.

use std::{
    env,
    sync::{
        Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use agent::datapath::{Direction, Injector, monotonic};
use anyhow::{Result, ensure};
use etherparse::PacketBuilder;
use rustix::thread::{CpuSet, sched_setaffinity};
use tests::{Kernel, without_root};

/// Unless `PICKET_CONTACTS` tells: an emulated machine takes fewer.
const CONTACTS: u64 = 10_000_000;
const PORTS: u64 = 65_536;
const CPUS: u64 = 2;
const DRAIN_EVERY: Duration = Duration::from_millis(10);

/// In each round every port is contacted by exactly one packet, half of them by each CPU in turns within
/// the same words. So the bits drained in a round must be exactly as many as there are ports, and each
/// port among them once.
#[test]
fn every_contact_is_drained_exactly_once() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let contacts = env::var("PICKET_CONTACTS").map_or(Ok(CONTACTS), |given| given.parse())?;
    Kernel::with(async |mut kernel: Kernel| {
        let mut packets = 0;
        for round in 0..contacts.div_ceil(PORTS) {
            let mut drained = vec![0_u8; PORTS as usize];
            packets += run_round(&mut kernel, &mut drained)?;
            let wrong = drained.iter().position(|&count| count != 1);
            ensure!(
                wrong.is_none(),
                "round {round}: port {wrong:?} was not drained exactly once"
            );
        }
        ensure!(
            packets == contacts.div_ceil(PORTS) * PORTS,
            "{packets} packets drained"
        );
        Ok(())
    })
}

fn run_round(kernel: &mut Kernel, drained: &mut [u8]) -> Result<u64> {
    let injectors = [kernel.datapath.injector()?, kernel.datapath.injector()?];
    let ifindex = kernel.subject.ifindex;
    let barrier = Barrier::new(injectors.len() + 1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let senders: Vec<_> = (0..)
            .zip(&injectors)
            .map(|(cpu, injector)| {
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    contact_ports(injector, ifindex, cpu)
                })
            })
            .collect();
        let watcher = scope.spawn(|| {
            let sent = senders.into_iter().map(|it| {
                it.join()
                    .unwrap_or_else(|_| anyhow::bail!("a sender panicked"))
            });
            let sent = sent.collect::<Result<Vec<()>>>();
            done.store(true, Ordering::Release);
            sent
        });
        barrier.wait();
        let mut packets = 0;
        loop {
            let last = done.load(Ordering::Acquire);
            let observation = kernel.drain()?;
            packets += observation.initiating_packets();
            for port in observation.tcp_ports {
                drained[usize::from(port)] += 1;
            }
            if last {
                break;
            }
            thread::park_timeout(DRAIN_EVERY);
        }
        watcher
            .join()
            .unwrap_or_else(|_| anyhow::bail!("the watcher panicked"))?;
        Ok(packets)
    })
}

fn contact_ports(injector: &Injector, ifindex: u32, cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    sched_setaffinity(None, &set)?;
    let mut packet = Vec::new();
    PacketBuilder::ethernet2([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2])
        .ipv4([10, 0, 0, 1], [10, 0, 0, 2], 64)
        .tcp(40_000, 0, 1, 1024)
        .syn()
        .write(&mut packet, &[])?;
    for port in (cpu as u64..PORTS).step_by(CPUS as usize) {
        packet[36..38].copy_from_slice(&(port as u16).to_be_bytes());
        injector.run(Direction::FromPod, ifindex, &packet, 1)?;
    }
    Ok(())
}

/// The kernel's clock and ours are the same: a record is never later than the drain that yields it.
/// Records bear the kernel's coarse clock, which advances by a timer tick: at most that of CONFIG_HZ=100.
const TIMER_TICK: Duration = Duration::from_millis(10);

#[test]
fn records_bear_the_drain_s_clock() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |mut kernel: Kernel| {
        let before = monotonic();
        contact_ports(&kernel.injector, kernel.subject.ifindex, 0)?;
        let observation = kernel.drain()?;
        let after = monotonic();
        ensure!(!observation.contacts.is_empty(), "no contacts");
        for contact in &observation.contacts {
            let in_time = before <= contact.at + TIMER_TICK && contact.at <= after;
            ensure!(in_time, "{before:?} {contact:?} {after:?}");
        }
        ensure!(
            observation.contacts.is_sorted_by_key(|it| it.at),
            "out of order"
        );
        Ok(())
    })
}
