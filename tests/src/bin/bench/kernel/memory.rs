//! Bytes of a slot and of all maps, as the kernel accounts them.

use agent_common::Slot;
use anyhow::Result;
use serde_json::{Value, json};
use tests::{Kernel, maps_at};

const MIB: f64 = (1 << 20) as f64;
/// Slots, and the MiB that their maps and those beside them may take.
const TARGETS: [(u32, Option<f64>); 3] = [(110, Some(8.0)), (250, Some(16.0)), (1000, None)];

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    println!("\nmemory of the maps, {} bytes a slot:", size_of::<Slot>());
    let mut results = Vec::new();
    for (slots, target) in TARGETS {
        let maps = Kernel::with_slots(slots, async |kernel: Kernel| {
            maps_at(kernel.subject.ifindex)
        })?;
        let mib = maps.iter().map(|map| map.bytes).sum::<u64>() as f64 / MIB;
        print!("  {slots:>5} slots {mib:>7.2} MiB");
        match target {
            Some(target) if mib <= target => println!(", target {target}: met"),
            Some(target) => println!(", target {target}: missed"),
            None => println!(),
        }
        let each = maps.iter().map(|map| (map.name.clone(), map.bytes.into()));
        results.push(json!({
            "slots": slots,
            "mib": mib,
            "target_mib": target,
            "maps_bytes": each.collect::<serde_json::Map<_, _>>(),
        }));
    }
    Ok(json!({"slot_bytes": size_of::<Slot>(), "totals": results}))
}
