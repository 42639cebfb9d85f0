//! Agents, collectors and databases are killed at random points, under load.

use std::{env, path::Path, thread, time::Duration};

use anyhow::{Context as _, Result, ensure};
use tests::{Postgres, postgres, without_root};

use crate::{
    collector::{Collector, socket},
    courier::Courier,
    ledger::Ledger,
};

const LIMIT: Duration = Duration::from_secs(120);

/// Couriers at once.
const COURIERS: usize = 3;

/// Events a second of each.
const RATE: u32 = 500;

/// How many kills; `PICKET_KILLS` asks for more.
fn kills(usual: usize) -> usize {
    let asked = env::var("PICKET_KILLS").ok();
    asked.and_then(|kills| kills.parse().ok()).unwrap_or(usual)
}

/// Everything at work, in one folder.
struct Scene {
    couriers: Vec<Courier>,
    ledger: Ledger,
    collector: Collector,
    random: fastrand::Rng,
}

impl Scene {
    fn open(folder: &Path, database: &str) -> Result<Self> {
        let collector = Collector::start(folder, database)?;
        let ledger = Ledger::open(&socket(folder))?;
        let mut couriers = Vec::new();
        for number in 0..COURIERS {
            let mut courier = Courier::new(&format!("n{number}"), folder, &socket(folder))?;
            courier.start(RATE, &[])?;
            couriers.push(courier);
        }
        Ok(Self {
            couriers,
            ledger,
            collector,
            random: fastrand::Rng::with_seed(5),
        })
    }

    /// Lets all work on for a random while.
    fn pause(&mut self, most: Duration) {
        thread::sleep(most.mul_f64(self.random.f64()));
    }

    /// Lets all be delivered, and checks the book.
    fn close(mut self) -> Result<(u64, usize)> {
        for courier in &mut self.couriers {
            let finished = courier.finish(LIMIT);
            finished.with_context(|| self.collector.log())?;
        }
        let mut durable = Vec::new();
        for courier in &self.couriers {
            durable.extend(courier.durable()?);
        }
        let settled = self.ledger.settle(&durable, LIMIT);
        settled.with_context(|| self.collector.log())?;
        self.ledger.check()?;
        for gap in self.ledger.gaps() {
            let id = gap.id.clone().unwrap_or_default();
            let durable = durable
                .iter()
                .find(|it| (&it.0, it.1) == (&id.node, id.epoch));
            ensure!(
                durable.is_none_or(|(_, _, sequence)| id.sequence > *sequence),
                "events that were durable are missing: {gap:?}"
            );
        }
        Ok((self.ledger.events(), durable.len()))
    }
}

/// Says what was played, for whoever looks.
#[expect(clippy::print_stderr, reason = "a figure of the test")]
fn told(what: &str, (events, epochs): (u64, usize), resumed: u64) {
    eprintln!("{what}: {events} events of {epochs} epochs, {resumed} subscriptions");
}

#[test]
fn agents_that_are_killed_lose_nothing_that_was_durable() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("picket.db").display().to_string();
    let mut scene = Scene::open(folder.path(), &database)?;
    let kills = kills(200);
    for round in 0..kills {
        scene.pause(Duration::from_millis(120));
        let courier = &mut scene.couriers[round % COURIERS];
        courier.kill()?;
        courier.start(RATE, &[])?;
    }
    let resumed = scene.ledger.resumed();
    told(&format!("{kills} agents killed"), scene.close()?, resumed);
    Ok(())
}

#[test]
fn a_collector_that_is_killed_loses_nothing_it_acknowledged_and_stores_nothing_twice() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let database = folder.path().join("picket.db").display().to_string();
    let mut scene = Scene::open(folder.path(), &database)?;
    let kills = kills(200);
    for _ in 0..kills {
        scene.pause(Duration::from_millis(200));
        scene.collector.kill()?;
    }
    let resumed = scene.ledger.resumed();
    told(
        &format!("the collector killed {kills} times"),
        scene.close()?,
        resumed,
    );
    ensure!(
        resumed as usize > kills / 2,
        "the subscriber saw {resumed} of the collectors"
    );
    Ok(())
}

#[test]
fn a_database_whose_connections_are_cut_loses_nothing() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let server = Postgres::start(LIMIT)?;
    let folder = tempfile::tempdir()?;
    let mut scene = Scene::open(folder.path(), &server.url())?;
    let cuts = kills(50);
    for _ in 0..cuts {
        scene.pause(Duration::from_millis(300));
        server.cut_connections(LIMIT)?;
    }
    let resumed = scene.ledger.resumed();
    told(
        &format!("connections cut {cuts} times"),
        scene.close()?,
        resumed,
    );
    Ok(())
}

#[test]
fn a_primary_that_is_killed_loses_nothing_when_its_synchronous_standby_takes_over() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let mut primary = Postgres::start(LIMIT)?;
    let standby = primary.synchronous_standby(LIMIT)?;
    let folder = tempfile::tempdir()?;
    let mut scene = Scene::open(folder.path(), &postgres::url(&[&primary, &standby]))?;
    thread::sleep(Duration::from_secs(2));
    scene.pause(Duration::from_millis(500));
    let before = scene.ledger.events();
    ensure!(before > 0, "nothing arrives{}", scene.collector.log());
    primary.kill(LIMIT)?;
    scene.pause(Duration::from_millis(500));
    standby.promote(LIMIT)?;
    thread::sleep(Duration::from_secs(2));
    let resumed = scene.ledger.resumed();
    let (events, epochs) = scene.close()?;
    ensure!(events > before, "nothing arrives after the change");
    told("a standby took over", (events, epochs), resumed);
    Ok(())
}
