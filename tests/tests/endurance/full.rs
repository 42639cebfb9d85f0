//! A collector that is away for longer than the spool has room.

use std::time::Duration;

use anyhow::{Result, ensure};
use api::v1::Severity;
use tests::wait_for;

use crate::{
    collector::{Collector, socket},
    courier::Courier,
    ledger::Ledger,
};

const LIMIT: Duration = Duration::from_secs(120);

/// Events that are raised while nobody takes them; each has about half a kB.
const EVENTS: u64 = 20_000;

/// Delivers what is left of `EVENTS` in a spool of this size, and gives the book.
fn outage(spool_bytes: u64) -> Result<Ledger> {
    let folder = tempfile::tempdir()?;
    let mut courier = Courier::new("n1", folder.path(), &socket(folder.path()))?;
    let events = EVENTS.to_string();
    let options = [
        "--spool-bytes",
        &spool_bytes.to_string(),
        "--events",
        &events,
    ];
    courier.start(20_000, &options)?;
    let durable = wait_for("all events to be in the spool, or let go of", LIMIT, || {
        let durable = courier.durable()?;
        let all = durable.iter().all(|(_, _, sequence)| *sequence == EVENTS);
        Ok((all && !durable.is_empty()).then_some(durable))
    })?;
    let database = folder.path().join("picket.db").display().to_string();
    let _collector = Collector::start(folder.path(), &database)?;
    let ledger = Ledger::open(&socket(folder.path()))?;
    courier.finish(LIMIT)?;
    ledger.settle(&durable, LIMIT)?;
    ledger.check()?;
    Ok(ledger)
}

#[test]
fn what_a_full_spool_let_go_of_is_told_by_one_gap_and_exactly() -> Result<()> {
    let ledger = outage(4 << 20)?;
    let gaps = ledger.gaps();
    let [gap] = &gaps[..] else {
        anyhow::bail!("{} gaps: {gaps:?}", gaps.len());
    };
    ensure!(
        ledger.events() + gap.events + gap.merged_updates == EVENTS,
        "of {EVENTS} events came {}, and the gap says {gap:?}",
        ledger.events()
    );
    ensure!(gap.merged_updates > 0, "no update was merged: {gap:?}");
    let lost: u64 = gap.lost.iter().map(|lost| lost.events).sum();
    ensure!(lost == gap.events, "{gap:?}");
    ensure!(
        gap.lost.iter().all(|lost| lost.severity() < Severity::High),
        "the gravest went though others were there: {gap:?}"
    );
    Ok(())
}

#[test]
fn a_spool_that_has_room_lets_go_of_nothing() -> Result<()> {
    let ledger = outage(64 << 20)?;
    ensure!(ledger.gaps().is_empty(), "{:?}", ledger.gaps());
    ensure!(ledger.events() == EVENTS, "{} events", ledger.events());
    Ok(())
}
