//! What is remembered of a pod, by how it spends its time.

use anyhow::Result;
use detect::{Detectors, Settings, Time};
use serde_json::{Value, json};

use super::workload::{Kind, TICK_NS, TICKS_PER_SECOND, Workload};
use crate::heap;

/// Until every bound that two minutes of traffic can reach is reached.
const SECONDS: u64 = 120;

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    println!("\nwhat the detectors remember of a pod after {SECONDS} s, and of 250 such:");
    let mut results = serde_json::Map::new();
    for kind in Kind::ALL {
        let bytes = of_each(kind);
        println!(
            "  {:<9} {:>9.1} KiB {:>8.1} MiB",
            kind.name(),
            bytes as f64 / 1024.0,
            bytes as f64 * 250.0 / f64::from(1 << 20)
        );
        results.insert(kind.name().to_owned(), json!({"bytes": bytes}));
    }
    println!(
        "  bound     {:>9.1} KiB",
        Detectors::POD_BYTES as f64 / 1024.0
    );
    results.insert("bound".to_owned(), json!({"bytes": Detectors::POD_BYTES}));
    Ok(results.into())
}

/// Bytes that each of several pods takes.
fn of_each(kind: Kind) -> usize {
    let pods = match kind {
        Kind::Idle | Kind::Ordinary => 64,
        Kind::Busy => 8,
        Kind::Hostile => 2,
    };
    let mut crowd: Vec<_> = (0..pods).map(|index| Workload::new(kind, index)).collect();
    let before = heap::bytes();
    let mut detectors = Detectors::new(Settings::default());
    for tick in 1..=SECONDS * TICKS_PER_SECOND {
        let now = Time::from_nanoseconds(tick * TICK_NS);
        let mut found = Vec::new();
        for workload in &mut crowd {
            detectors.observe(&workload.observation(now), now, &mut found);
        }
    }
    let each = heap::bytes().saturating_sub(before) / pods as usize;
    drop(detectors);
    each
}
