//! Compares the detector with a naive model on random traffic.

use std::collections::{BTreeMap, BTreeSet};

use detect::{IpSweepThresholds, Measure, State, Time};

use crate::play::{Fate, Probe, find_with, ms, probe};

/// After so long a host of a cluster would have answered.
const OVERDUE_MS: u64 = 80;
const SILENCE_MS: u64 = 2000;
const HORIZONS_MS: [u64; 2] = [60_000, 3_600_000];

/// Numbers that look random (xorshift64*, Vigna 2016).
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % bound
    }
}

/// Traffic in which a pair of host and port is not probed again before its fate is known.
fn traffic(random: &mut Random) -> Vec<Probe> {
    let (hosts, ports) = (10 + random.below(60), 1 + random.below(3) as u16);
    let pace_ms = [20, 200, 2000, 30_000][random.below(4) as usize];
    let failing = random.below(11);
    let mut busy_until = BTreeMap::new();
    let (mut at_ms, mut probes) = (1000, Vec::new());
    for _ in 0..250 {
        at_ms += 1 + random.below(pace_ms);
        let (host, port) = (
            1 + random.below(hosts) as u32,
            80 + random.below(ports.into()) as u16,
        );
        let fate = match random.below(10) {
            n if n >= failing => Fate::Answers(1 + random.below(60)),
            0..4 => Fate::Drops,
            4..8 => Fate::Refuses(1 + random.below(300)),
            _ => Fate::Answers(100 + random.below(4000)),
        };
        let busy = busy_until.get(&(host, port));
        if busy.is_none_or(|&until| until < at_ms) {
            busy_until.insert((host, port), at_ms + 10_000);
            probes.push(probe(at_ms, host, port, fate));
        }
    }
    probes
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Known {
    Overdue,
    Failed,
    Answered,
}

/// What is known of a pair of host and port, and from when on.
type Change = (u64, (u32, u16), Known);

/// All that is known, kept for ever and counted anew each time.
fn changes(probes: &[Probe]) -> Vec<Change> {
    let mut changes = Vec::new();
    for probe in probes {
        let pair = (probe.host, probe.port);
        let (after, known) = match probe.fate {
            Fate::Answers(after) => (after, Some(Known::Answered)),
            Fate::Refuses(after) => (after, Some(Known::Failed)),
            Fate::Drops => (u64::MAX, None),
        };
        if after > OVERDUE_MS {
            changes.push((probe.at_ms + OVERDUE_MS, pair, Known::Overdue));
        }
        if after > SILENCE_MS {
            changes.push((probe.at_ms + SILENCE_MS, pair, Known::Failed));
        }
        if let Some(known) = known {
            changes.push((probe.at_ms + after, pair, known));
        }
    }
    changes.sort_by_key(|&(at_ms, ..)| at_ms);
    // Nobody sweeps what he knows.
    let mut answered = BTreeSet::new();
    changes.retain(|&(_, pair, known)| {
        let is_known = answered.contains(&pair);
        if known == Known::Answered {
            answered.insert(pair);
        }
        !is_known || known == Known::Answered
    });
    changes
}

/// How many hosts of a port are known so within a horizon.
fn count(changes: &[Change], port: u16, known: Known, now_ms: u64, horizon_ms: u64) -> u64 {
    let mut last: BTreeMap<u32, (u64, Known)> = BTreeMap::new();
    for &(at_ms, (host, of), known) in changes.iter().take_while(|it| it.0 <= now_ms) {
        if of != port {
            continue;
        }
        // What failed before is no more than overdue when it is tried again.
        let failed = last.get(&host).is_some_and(|it| it.1 == Known::Failed);
        if known != Known::Overdue || !failed {
            last.insert(host, (at_ms, known));
        }
    }
    let quantum = horizon_ms / 60;
    let within = |at_ms: u64| now_ms / quantum - at_ms / quantum <= 60;
    let so = last.values().filter(|it| it.1 == known && within(it.0));
    so.count() as u64
}

#[test]
fn openings_are_those_of_a_naive_model() {
    let mut opened_by = BTreeMap::new();
    for seed in 1..=150 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let probes = traffic(&mut random);
        let thresholds = IpSweepThresholds {
            failed_hosts_per_minute: 6 + random.below(10) as u32,
            failed_hosts_per_hour: 10 + random.below(12) as u32,
            unanswered_hosts_per_minute: 8 + random.below(20) as u32,
            failed_pairs_per_minute: 1024,
            excess_failures: 1 + random.below(9) as u32,
            ..IpSweepThresholds::default()
        };
        let changes = changes(&probes);
        let opening = |&(at_ms, (_, port), known): &Change| {
            if known == Known::Answered {
                return None;
            }
            let count = |known, horizon_ms| count(&changes, port, known, at_ms, horizon_ms);
            let limits = [
                thresholds.failed_hosts_per_minute,
                thresholds.failed_hosts_per_hour,
            ];
            let excess = u64::from(thresholds.excess_failures);
            let failed = HORIZONS_MS.map(|it| count(Known::Failed, it));
            let answered = HORIZONS_MS.map(|it| count(Known::Answered, it));
            let reached = (0..2).find(|&n| failed[n] >= limits[n].into());
            if let Some(n) = reached
                && failed[n] >= answered[n] + excess
            {
                return Some((Measure::FailedHostsPerPort, failed[n], ms(at_ms)));
            }
            let unanswered = failed[0] + count(Known::Overdue, HORIZONS_MS[0]);
            let limit = u64::from(thresholds.unanswered_hosts_per_minute);
            (unanswered >= limit && unanswered >= answered[0] + excess).then_some((
                Measure::UnansweredHostsPerPort,
                unanswered,
                ms(at_ms),
            ))
        };
        let expected = changes.iter().find_map(opening);
        let until = probes.iter().map(|it| it.at_ms).max().unwrap_or(0) + 5000;
        let found = find_with(thresholds.clone(), &probes, until);
        let opened = found.iter().find(|it| it.state == State::Opened);
        let actual: Option<(Measure, u64, Time)> =
            opened.map(|it| (it.crossed.measure, it.crossed.counted, it.crossed_at));
        assert_eq!(actual, expected, "seed {seed}");
        let rule = actual.map(|(measure, ..)| format!("{measure:?}"));
        *opened_by.entry(rule).or_insert(0) += 1;
    }
    assert!(
        opened_by.len() == 3 && opened_by.values().all(|&seeds| seeds > 10),
        "the traffic does not cross every rule: {opened_by:?}"
    );
}
