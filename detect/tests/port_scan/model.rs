//! Compares the detector with a naive model on random traffic.

use std::collections::{BTreeMap, BTreeSet};

use detect::{Measure, PortScanThresholds, State, Time};

use crate::replay::{Fate, Probe, SUBJECT, ms, observations, peer, play, port_scan, probe};

const HORIZONS_MS: [u64; 2] = [60_000, 3_600_000];
const SILENCE_MS: u64 = 2000;

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
    let (hosts, ports) = (1 + random.below(3) as u32, 8 + random.below(40) as u16);
    let pace_ms = [200, 2000, 20_000, 60_000][random.below(4) as usize];
    let mut busy_until = BTreeMap::new();
    let (mut at_ms, mut probes) = (1000, Vec::new());
    for _ in 0..150 {
        at_ms += 1 + random.below(pace_ms);
        let host = peer(random.below(hosts.into()) as u32);
        let port = 1 + random.below(ports.into()) as u16;
        let fate = match random.below(10) {
            0..3 => Fate::Drops,
            3..5 => Fate::Refuses(1 + random.below(5000)),
            5..9 => Fate::Answers(1 + random.below(1500)),
            _ => Fate::Answers(2001 + random.below(3000)),
        };
        if busy_until
            .get(&(host, port))
            .is_none_or(|&until| until < at_ms)
        {
            busy_until.insert((host, port), at_ms + 10_000);
            probes.push(probe(at_ms, host, port, fate));
        }
    }
    probes
}

/// When a pair of host and port failed, or no longer did.
type Change = (u64, (u32, u16), bool);

/// All that is known, kept for ever and counted anew each time.
struct Model {
    changes: Vec<Change>,
    ports: Vec<(u64, u16)>,
}

impl Model {
    fn new(probes: &[Probe]) -> Self {
        let mut changes = Vec::new();
        for probe in probes {
            let host = (0..9).find(|&n| peer(n) == probe.peer).unwrap_or(9);
            let pair = (host, probe.port);
            let (after, refused) = match probe.fate {
                Fate::Drops => (u64::MAX / 2, false),
                Fate::Refuses(after) => (after, true),
                Fate::Answers(after) => (after, false),
            };
            if after > SILENCE_MS {
                changes.push((probe.at_ms + SILENCE_MS, pair, true));
            }
            changes.push((probe.at_ms + after, pair, refused));
        }
        changes.sort_by_key(|&(at_ms, ..)| at_ms);
        let ports = probes
            .iter()
            .map(|probe| (probe.at_ms.div_ceil(1000) * 1000, probe.port));
        Self {
            changes,
            ports: ports.collect(),
        }
    }

    fn within(horizon_ms: u64, seen_ms: u64, now_ms: u64) -> bool {
        let quantum = horizon_ms / 60;
        seen_ms <= now_ms && now_ms / quantum - seen_ms / quantum <= 60
    }

    fn ports(&self, now_ms: u64) -> [u32; 2] {
        HORIZONS_MS.map(|horizon| {
            let recent = self
                .ports
                .iter()
                .filter(|&&(at, _)| Self::within(horizon, at, now_ms));
            recent.map(|&(_, port)| port).collect::<BTreeSet<_>>().len() as u32
        })
    }

    fn failed(&self, host: u32, now_ms: u64) -> [u32; 2] {
        let mut last = BTreeMap::new();
        for &(at_ms, pair, failed) in &self.changes {
            if at_ms <= now_ms && pair.0 == host {
                // What has ever answered does not fail.
                let known = matches!(last.get(&pair), Some((_, false)));
                last.insert(pair, (at_ms, failed && !known));
            }
        }
        HORIZONS_MS.map(|horizon| {
            let failed = last.values().filter(|&&(_, failed)| failed);
            failed
                .filter(|&&(at, _)| Self::within(horizon, at, now_ms))
                .count() as u32
        })
    }
}

fn nearest(counts: [u32; 2], limits: [u32; 2]) -> u32 {
    limits
        .into_iter()
        .zip(counts)
        .map(|(limit, count)| limit.saturating_sub(count))
        .min()
        .unwrap_or(0)
}

#[test]
fn counts_and_openings_are_those_of_a_naive_model() {
    let mut opened_by = BTreeMap::new();
    for seed in 1..=120 {
        let mut random = Random(0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(seed));
        let probes = traffic(&mut random);
        let thresholds = PortScanThresholds {
            failed_ports_per_minute: 4 + random.below(8) as u32,
            failed_ports_per_hour: 8 + random.below(12) as u32,
            ports_per_minute: 8 + random.below(20) as u32,
            ports_per_hour: 16 + random.below(30) as u32,
            low_ports_per_minute: 65_536,
            crafted_ports_per_hour: 65_536,
            ..PortScanThresholds::default()
        };
        let model = Model::new(&probes);
        let failed_limits = [
            thresholds.failed_ports_per_minute,
            thresholds.failed_ports_per_hour,
        ];
        let port_limits = [thresholds.ports_per_minute, thresholds.ports_per_hour];
        let mut detector = port_scan(thresholds);
        let until = probes.iter().map(|probe| probe.at_ms).max().unwrap_or(0) + 10_000;
        let mut before_ms = 0;
        for (now, observation) in observations(&probes, until) {
            let now_ms = now.nanoseconds() / 1_000_000;
            let found = play(&mut detector, &[(now, observation)]);

            let new = |&&(at_ms, ..): &&Change| at_ms > before_ms && at_ms <= now_ms;
            let crossing = model
                .changes
                .iter()
                .filter(new)
                .find(|&&(at_ms, (host, _), failed)| {
                    let counts = model.failed(host, at_ms);
                    failed && (counts[0] >= failed_limits[0] || counts[1] >= failed_limits[1])
                });
            let ports = model.ports(now_ms);
            let expected = if let Some(&(at_ms, (host, _), _)) = crossing {
                let minute = model.failed(host, at_ms)[0] >= failed_limits[0];
                Some((Measure::FailedPortsPerDestination, minute, ms(at_ms)))
            } else if ports[0] >= port_limits[0] || ports[1] >= port_limits[1] {
                Some((Measure::DistinctPorts, ports[0] >= port_limits[0], now))
            } else {
                None
            };
            let actual: Option<(Measure, bool, Time)> = found.first().map(|anomaly| {
                assert_eq!(anomaly.state, State::Opened, "seed {seed} at {now}");
                let minute = anomaly.crossed.window.as_secs() == 60;
                (anomaly.crossed.measure, minute, anomaly.crossed_at)
            });
            assert_eq!(actual, expected, "seed {seed} at {now}");
            if let Some((measure, minute, _)) = actual {
                *opened_by
                    .entry((format!("{measure:?}"), minute))
                    .or_insert(0) += 1;
                break;
            }

            before_ms = now_ms;
            if !(now_ms / 1000).is_multiple_of(13) {
                continue;
            }
            let most_failed = (0..3)
                .map(|host| model.failed(host, now_ms))
                .fold([0, 0], |most, counts| {
                    [most[0].max(counts[0]), most[1].max(counts[1])]
                });
            let budget = detector.budget(SUBJECT, now);
            assert_eq!(
                budget.ports,
                nearest(ports, port_limits),
                "seed {seed} at {now}"
            );
            assert_eq!(
                budget.refused,
                nearest(most_failed, failed_limits),
                "seed {seed} at {now}"
            );
        }
    }
    assert_eq!(
        opened_by.len(),
        4,
        "the traffic does not cross every rule: {opened_by:?}"
    );
}
