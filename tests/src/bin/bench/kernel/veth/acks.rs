//! Nanoseconds a packet takes across a veth: ACKs of many connections, from a packet socket on one CPU.

use agent::datapath::monotonic;
use agent_common::Direction;
use anyhow::Result;
use serde_json::{Value, json};
use tests::{Namespace, Wire};

use super::{At, HOST, HOST_IFINDEX, Switch, pin};
use crate::{
    kernel::flow::{Flows, Kind},
    statistics::Spread,
};

const POD_IFINDEX: u32 = 5001;
const CPU: usize = 1;
const ROUNDS: usize = 60;
const WARM_UP: usize = 1_000;
/// So few that most batches pass without an interruption, which the median then leaves out.
const BATCH: usize = 200;
const BATCHES: usize = 40;
/// What ours may add at most, as a multiple of what the empty program adds.
const TARGET: f64 = 2.5;

/// Measures both directions, and prints them.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    println!("\nns per ACK through a veth pair, and what is added (middle half):");
    let mut results = Vec::new();
    for (name, direction) in [
        ("from the pod", Direction::FromPod),
        ("to the pod", Direction::ToPod),
    ] {
        let rounds = rounds(direction)?;
        let nothing = Spread::of(rounds.iter().map(|it| it[0]));
        let added = |at: At| Spread::of(rounds.iter().map(|it| it[at as usize] - it[0]));
        let (empty, ours) = (added(At::Empty), added(At::Ours));
        let ratio = ours.median / empty.median;
        println!(
            "  {name:<13} nothing {:.0}, empty +{:.0} ({:.0} to {:.0}), ours +{:.0} ({:.0} to {:.0}); \
             ratio {ratio:.2}, target {TARGET}: {}",
            nothing.median,
            empty.median,
            empty.low,
            empty.high,
            ours.median,
            ours.low,
            ours.high,
            verdict(&empty, &ours),
        );
        results.push(json!({
            "direction": name,
            "nothing_ns": nothing.json(),
            "empty_added_ns": empty.json(),
            "ours_added_ns": ours.json(),
            "target_ratio": TARGET,
        }));
    }
    Ok(results.into())
}

fn rounds(direction: Direction) -> Result<Vec<[f64; 3]>> {
    let namespace = Namespace::new()?;
    namespace.ip(&format!(
        "link add {HOST} index {HOST_IFINDEX} type veth peer name eth0 index {POD_IFINDEX}\n\
         link set {HOST} up\nlink set eth0 up"
    ))?;
    namespace.enter(|| {
        pin(CPU)?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _entered = runtime.enter();
        let mut switch = Switch::new()?;
        let (mut packets, mut answers) = (Vec::new(), Vec::new());
        for flow in Flows::Alike.all(direction) {
            packets.push(flow.packet(Kind::Ack, false)?);
            answers.push(flow.reversed().packet(Kind::Ack, false)?);
        }
        let (host, pod) = (Wire::new(HOST_IFINDEX)?, Wire::new(POD_IFINDEX)?);
        let [sender, answerer] = match direction {
            Direction::FromPod => [&pod, &host],
            Direction::ToPod => [&host, &pod],
        };
        let mut rounds = Vec::new();
        for _ in 0..ROUNDS {
            let mut round = [0.0; 3];
            for at in At::ALL {
                switch.on(at)?;
                // What the pod acknowledges has sent to it before.
                send(answerer, &answers, answers.len())?;
                send(sender, &packets, WARM_UP)?;
                round[at as usize] = batches(sender, &packets)?;
                switch.off(at)?;
            }
            rounds.push(round);
        }
        Ok(rounds)
    })?
}

fn verdict(empty: &Spread, ours: &Spread) -> &'static str {
    if empty.low <= 0.0 || ours.low <= 0.0 {
        "too noisy to tell"
    } else if ours.median <= TARGET * empty.median {
        "met"
    } else {
        "missed"
    }
}

/// Nanoseconds a packet in the median batch.
fn batches(sender: &Wire, packets: &[Vec<u8>]) -> Result<f64> {
    let mut took = Vec::new();
    for _ in 0..BATCHES {
        let start = monotonic();
        send(sender, packets, BATCH)?;
        took.push(monotonic().since(start).as_nanos() as f64 / BATCH as f64);
    }
    Ok(Spread::of(took).median)
}

fn send(wire: &Wire, packets: &[Vec<u8>], count: usize) -> Result<()> {
    for packet in packets.iter().cycle().take(count) {
        wire.send(packet, packet.len())?;
    }
    Ok(())
}
