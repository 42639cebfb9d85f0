//! Whatever operation fails, and whenever the power goes: nothing that was spooled is lost.

use api::v1::Severity::{High, Info, Low, Medium};

use super::{
    bench::Bench,
    power::{Power, Trouble},
};

/// Raises, delivers, overflows, and is left with something undelivered.
fn scenario(bench: &mut Bench) {
    for round in 0..12 {
        for severity in [Low, High, Info, Low, Medium] {
            bench.raise(severity, |_| ());
        }
        bench.store();
        if round % 3 == 1 {
            bench.deliver(2, 1);
        }
    }
    // Longer than there is room for, with the collector away.
    for round in 0..36 {
        for severity in [Low, Low, Medium, Low, Low, Info] {
            bench.raise(severity, |_| ());
        }
        bench.store();
        if round == 24 {
            bench.deliver(1, 1);
        }
    }
}

fn operations() -> usize {
    let disk = Power::default();
    let mut bench = Bench::new(disk.clone());
    scenario(&mut bench);
    let operations = disk.operations();
    bench.finish();
    bench.check(false);
    assert!(!bench.collector.gaps.is_empty(), "it was never full");
    operations
}

#[test]
fn any_operation_may_fail_once() {
    for at in 0..operations() {
        let disk = Power::with(Trouble::Once(at));
        let mut bench = Bench::new(disk);
        scenario(&mut bench);
        bench.finish();
        bench.check(false);
    }
}

#[test]
fn the_disk_may_fail_at_any_operation_until_it_is_mended() {
    for at in (0..operations()).step_by(3) {
        let disk = Power::with(Trouble::From(at));
        let mut bench = Bench::new(disk.clone());
        scenario(&mut bench);
        bench.deliver(3, 1);
        disk.mend();
        bench.finish();
        bench.check(false);
    }
}

#[test]
fn the_power_may_go_at_any_operation() {
    for at in 0..operations() {
        for half_arrived in [false, true] {
            let disk = Power::with(Trouble::From(at));
            let mut bench = Bench::new(disk.clone());
            scenario(&mut bench);
            // In memory it went on; the disk has what was synced before.
            let mut bench = bench.restart(disk.cut(half_arrived));
            bench.raise(High, |_| ());
            bench.finish();
            bench.check(true);
        }
    }
}
