//! What a contact and an idle observation cost in the detectors, beside a floor on the same observations.

use std::{fmt, fs, hint::black_box, net::IpAddr, time::Duration};

use anyhow::{Context as _, Result, ensure};
use detect::{Detectors, Observation, Settings, State, Time, Transport};
use hashbrown::HashSet;
use serde_json::{Value, json};

use super::workload::{Kind, TICK_NS, TICKS_PER_SECOND, Workload};
use crate::{heap, statistics::Spread, stopwatch};

/// As many pods as a node may have, and as many of them busy.
const PODS: u32 = 250;
const BUSY: u32 = 100;
/// Until the detectors have forgotten as much as they remember.
const WARM_UP_SECONDS: u64 = 15;
/// Measurements, each of a second of traffic.
const ROUNDS: usize = 31;
/// Of one core.
const TARGET_SHARE: f64 = 0.1;

/// One pass over a second of traffic.
#[derive(Clone, Copy, Default)]
struct Took {
    idle: Duration,
    busy: Duration,
}

/// Measures and prints.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure() -> Result<Value> {
    let kind = |index| if index < BUSY { Kind::Busy } else { Kind::Idle };
    let mut crowd: Vec<_> = (0..PODS)
        .map(|index| Workload::new(kind(index), index))
        .collect();
    let mut floor = Floor::new(PODS as usize);
    let mut ours = Ours::default();
    let (heap, rss) = (heap::bytes(), resident_bytes()?);
    let mut now = Time::from_nanoseconds(3_600_000_000_000);
    let mut rounds = Vec::new();
    let (mut contacts, mut idle) = (0, 0);
    for round in 0..WARM_UP_SECONDS + ROUNDS as u64 {
        let second = second(&mut crowd, &mut now);
        let observations = second.iter().flat_map(|(_, observations)| observations);
        contacts = observations.clone().map(|it| it.contacts.len()).sum();
        idle = observations.filter(|it| it.contacts.is_empty()).count();
        // Whoever comes second finds the observations in the cache.
        let took = if round.is_multiple_of(2) {
            let floor = floor.pass(&second);
            [floor, ours.pass(&second)]
        } else {
            let ours = ours.pass(&second);
            [floor.pass(&second), ours]
        };
        if round >= WARM_UP_SECONDS {
            rounds.push(took);
        }
    }
    ensure!(contacts > 0 && idle > 0, "nothing was measured");
    let heap = heap::bytes().saturating_sub(heap);
    let rss = resident_bytes()?.saturating_sub(rss);

    let contact = Compared::of(&rounds, |it| it.busy, contacts);
    let observation = Compared::of(&rounds, |it| it.idle, idle);
    let share = Spread::of(
        rounds
            .iter()
            .map(|[_, ours]| (ours.idle + ours.busy).as_secs_f64()),
    );
    let verdict = if share.median < TARGET_SHARE {
        "met"
    } else {
        "missed"
    };
    println!("\n{PODS} pods, {BUSY} of them busy, {contacts} contacts a second:");
    println!("  a contact           {contact}");
    println!("  an idle observation {observation}");
    println!(
        "  share of one core   {:.2} % ({:.2} to {:.2}), target {:.0}: {verdict}",
        share.median * 100.0,
        share.low * 100.0,
        share.high * 100.0,
        TARGET_SHARE * 100.0
    );
    println!(
        "  memory of all pods  {:.1} MiB allocated; the process grew by {:.1} MiB, the traffic of a second included",
        mib(heap),
        mib(rss)
    );
    println!("  anomalies opened    {}", ours.opened);
    Ok(json!({
        "pods": PODS,
        "busy_pods": BUSY,
        "contacts_per_second": contacts,
        "contact": contact.json(),
        "idle_observation": observation.json(),
        "share_of_one_core": share.json(),
        "target_share": TARGET_SHARE,
        "heap_bytes": heap,
        "rss_growth_bytes": rss,
        "anomalies_opened": ours.opened,
    }))
}

/// The next second of all pods, tick by tick, the busy ones first.
fn second(crowd: &mut [Workload], now: &mut Time) -> Vec<(Time, Vec<Observation>)> {
    let ticks = (0..TICKS_PER_SECOND).map(|_| {
        *now = Time::from_nanoseconds(now.nanoseconds() + TICK_NS);
        let observations = crowd.iter_mut().map(|workload| workload.observation(*now));
        (*now, observations.collect())
    });
    ticks.collect()
}

/// Calls `observe` with each observation and its number among those of its tick.
fn pass(
    second: &[(Time, Vec<Observation>)],
    mut observe: impl FnMut(usize, &Observation, Time),
) -> Took {
    let mut took = Took::default();
    for (now, observations) in second {
        let (busy, idle) = observations.split_at(BUSY as usize);
        let start = stopwatch::own();
        for (index, observation) in busy.iter().enumerate() {
            observe(index, observation, *now);
        }
        let middle = stopwatch::own();
        for (index, observation) in idle.iter().enumerate() {
            observe(busy.len() + index, observation, *now);
        }
        took.busy += middle - start;
        took.idle += stopwatch::own() - middle;
    }
    took
}

/// The least that a detector of anything can do: to look each contact up once.
struct Floor(Vec<HashSet<(IpAddr, Transport, u16)>>);

impl Floor {
    fn new(pods: usize) -> Self {
        Self(vec![HashSet::new(); pods])
    }

    fn pass(&mut self, second: &[(Time, Vec<Observation>)]) -> Took {
        self.0.iter_mut().for_each(HashSet::clear);
        pass(second, |index, observation, _| {
            let Some(seen) = self.0.get_mut(index) else {
                return;
            };
            for contact in &observation.contacts {
                black_box(seen.insert((contact.peer, contact.transport, contact.port)));
            }
        })
    }
}

/// The detectors.
struct Ours {
    detectors: Detectors,
    opened: usize,
}

impl Default for Ours {
    fn default() -> Self {
        Self {
            detectors: Detectors::new(Settings::default()),
            opened: 0,
        }
    }
}

impl Ours {
    fn pass(&mut self, second: &[(Time, Vec<Observation>)]) -> Took {
        let mut found = Vec::new();
        let took = pass(second, |_, observation, now| {
            self.detectors.observe(observation, now, &mut found);
            // The agent asks after each observation, to tell the programs.
            black_box(self.detectors.budget(observation.subject, now));
        });
        self.opened += found.iter().filter(|it| it.state == State::Opened).count();
        took
    }
}

/// Nanoseconds for each of many things, ours and the floor's.
struct Compared {
    floor: Spread,
    ours: Spread,
    ratio: Spread,
}

impl Compared {
    fn of(rounds: &[[Took; 2]], part: impl Fn(&Took) -> Duration, things: usize) -> Self {
        let each = |took: &Took| part(took).as_secs_f64() * 1e9 / things as f64;
        Self {
            floor: Spread::of(rounds.iter().map(|[floor, _]| each(floor))),
            ours: Spread::of(rounds.iter().map(|[_, ours]| each(ours))),
            ratio: Spread::of(rounds.iter().map(|[floor, ours]| each(ours) / each(floor))),
        }
    }

    fn json(&self) -> Value {
        json!({
            "floor_ns": self.floor.json(),
            "ours_ns": self.ours.json(),
            "ratio": self.ratio.json(),
        })
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { floor, ours, ratio } = self;
        write!(
            f,
            "{:.0} ns ({:.0} to {:.0}); floor {:.0} ns; ratio {:.1}",
            ours.median, ours.low, ours.high, floor.median, ratio.median
        )
    }
}

/// Of this process.
fn resident_bytes() -> Result<usize> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next());
    Ok(1024 * kib.context("the kernel tells no VmRSS")?.parse::<usize>()?)
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
