//! How long it takes to drain all slots, idle and under traffic: time of the draining thread itself.

use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

use agent::datapath::{Datapath, Direction, Injector, monotonic};
use anyhow::{Context, Result, ensure};
use aya::programs::{ProgramFd, TcAttachType};
use detect::Subject;
use serde_json::{Value, json};
use tests::{program_at, watching};

use super::{
    carousel::Carousel,
    flow::{Flows, Kind},
};
use crate::{statistics::Spread, stopwatch};

/// Interfaces are both ends of half as many veth pairs: the programs do not care which end it is.
const SLOTS: [u32; 3] = [110, 250, 1000];
const ROUNDS: usize = 60;
/// Ports that each pod contacts between two drains: none, as many as a busy one does, and as many as if
/// all scanned as fast as nmap does.
const FRESH_PORTS: [(&str, u32); 3] = [("idle", 0), ("busy", 10), ("all scan", 100)];
const TARGET: (u32, f64) = (250, 1.0);

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    println!("\ndrain of all slots, ms (middle half):");
    let mut results = Vec::new();
    for slots in SLOTS {
        let times = watching(slots, |datapath, subjects| {
            FRESH_PORTS
                .iter()
                .map(|&(_, ports)| match ports {
                    0 => drains(datapath, || Ok(())),
                    _ => under_traffic(datapath, subjects, ports),
                })
                .collect::<Result<Vec<_>>>()
        })?;
        let target = (slots == TARGET.0).then_some(TARGET.1);
        for ((name, ports), time) in FRESH_PORTS.into_iter().zip(times) {
            print!(
                "  {slots:>5} slots, {name:<8} {:>8.3} ({:.3} to {:.3})",
                time.median, time.low, time.high
            );
            match target {
                Some(target) if time.median < target => println!(", target {target}: met"),
                Some(target) => println!(", target {target}: missed"),
                None => println!(),
            }
            results.push(json!({
                "slots": slots,
                "fresh_ports": ports,
                "ms": time.json(),
                "target_ms": target,
            }));
        }
    }
    Ok(results.into())
}

/// Each pod contacts ports between the drains, and one scans meanwhile.
fn under_traffic(datapath: &mut Datapath, subjects: &[Subject], ports: u32) -> Result<Spread> {
    let first = subjects.first().context("no interfaces")?.ifindex;
    let packets = Flows::PortScan
        .all(Direction::FromPod)
        .into_iter()
        .map(|flow| flow.packet(Kind::Syn, false))
        .collect::<Result<Vec<_>>>()?;
    let from_pod = program_at(first, TcAttachType::Ingress)?.fd()?;
    let mut carousel = Carousel::load(first)?;
    carousel.fill(&packets)?;
    let injector = datapath.injector()?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let scan = scope.spawn(|| scan(&injector, first, &packets, &done));
        let time = drains(datapath, || {
            contact(&mut carousel, &from_pod, subjects, ports)
        });
        done.store(true, Relaxed);
        let scanned = scan
            .join()
            .unwrap_or_else(|_| anyhow::bail!("the scan panicked"))?;
        ensure!(scanned > 0, "nothing was scanned");
        time
    })
}

fn contact(
    carousel: &mut Carousel,
    from_pod: &ProgramFd,
    subjects: &[Subject],
    ports: u32,
) -> Result<()> {
    for subject in subjects {
        carousel.run_at(subject.ifindex, from_pod, ports)?;
    }
    Ok(())
}

fn scan(injector: &Injector, ifindex: u32, packets: &[Vec<u8>], done: &AtomicBool) -> Result<u64> {
    let mut scanned = 0;
    for packet in packets.iter().cycle() {
        if done.load(Relaxed) {
            break;
        }
        injector.run(Direction::FromPod, ifindex, packet, 1)?;
        scanned += 1;
    }
    Ok(scanned)
}

/// Milliseconds that a drain takes, after `before` each.
fn drains(datapath: &mut Datapath, mut before: impl FnMut() -> Result<()>) -> Result<Spread> {
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        before()?;
        let start = own_ms();
        let observations = datapath.drain(monotonic());
        times.push(own_ms() - start);
        ensure!(!observations.is_empty(), "nothing was drained");
    }
    Ok(Spread::of(times))
}

fn own_ms() -> f64 {
    stopwatch::own().as_secs_f64() * 1e3
}
