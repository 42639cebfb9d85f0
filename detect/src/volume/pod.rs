//! What is known of the traffic of one kind of one pod.

use std::{marker::PhantomData, time::Duration};

use super::{Bounds, Counted, Kind, Rate, SIDES, TEN_SECONDS, recent::Recent};
use crate::{
    Anomaly, Criterion, Flow, Time, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::HOUR,
    probes::Probes,
};

/// A kind of traffic of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod<K> {
    /// None of one of which nothing was counted of late.
    sides: [Option<Box<Side>>; SIDES],
    recent: Recent,
    /// Whether an anomaly is.
    open: bool,
    /// When the hour began that is being watched, if it was watched from its beginning.
    hour_began: Option<Time>,
    /// When it ends.
    hour_ends: Time,
    kind: PhantomData<K>,
}

/// What the pod sends, or what it receives.
#[derive(Clone, Debug)]
struct Side {
    /// Within the window of the ceiling.
    ceiling: Rate,
    /// Within ten seconds.
    usual: Rate,
    /// The most of this hour within ten seconds.
    peak: u64,
    case: Option<Box<Case>>,
}

/// What was crossed.
#[derive(Clone, Copy, Debug)]
struct Crossed {
    criterion: Criterion,
    /// The place of its severity among those of the kind.
    severity: usize,
}

impl<K: Kind> Default for Pod<K> {
    fn default() -> Self {
        Self {
            sides: [None, None],
            open: false,
            recent: Recent::default(),
            hour_began: None,
            hour_ends: Time::default(),
            kind: PhantomData,
        }
    }
}

impl<K: Kind> Detector for Pod<K> {
    type Thresholds = K::Thresholds;

    const ID: &'static str = K::ID;

    const WORDS: Words = K::WORDS;

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &K::Thresholds) {
        let bounds = K::bounds(thresholds);
        if seen.now >= self.hour_ends {
            self.turn(seen, &bounds);
        }
        self.recent.take_in::<K>(&seen.observation.contacts);
        let counted = K::counted(seen.observation, &self.recent);
        if !self.open && counted.iter().all(|it| it.is_nothing()) {
            return;
        }
        self.open = false;
        let sides = self.sides.iter_mut().zip(K::FLOWS).zip(counted);
        for (index, ((place, flow), counted)) in sides.enumerate() {
            let Some(flow) = flow else {
                continue;
            };
            if place.is_none() && counted.is_nothing() {
                continue;
            }
            let side = place.get_or_insert_with(|| Box::new(Side::new::<K>()));
            side.add(counted, seen.now);
            if counted.seen > 0 {
                let crossed = side.crossed::<K>(index, flow, seen, &bounds);
                if let Some(crossed) = crossed {
                    side.tell::<K>(index, crossed, counted, &self.recent, seen);
                }
            }
            seen.live(&mut side.case, bounds.quiet);
            self.open |= side.case.is_some();
        }
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        for side in self.sides.iter_mut().flatten() {
            case::close(&mut side.case, probes, found);
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        let sides = self.sides.iter().flatten();
        let cases = sides.clone().flat_map(|side| &side.case);
        self.recent.heap_bytes()
            + sides.map(|side| size_of_val(&**side)).sum::<usize>()
            + cases.map(|case| case.bytes()).sum::<usize>()
    }
}

impl<K: Kind> Pod<K> {
    /// Learns from the hour that ends, if it was watched as a whole.
    fn turn(&mut self, seen: &mut Seen<'_>, bounds: &Bounds) {
        let whole = seen.now < self.hour_ends + HOUR;
        if let Some(began) = self.hour_began.filter(|_| whole) {
            for (side, flow) in self.sides.iter().zip(K::FLOWS) {
                if let Some(flow) = flow {
                    let peak = side.as_ref().map_or(0, |side| side.peak);
                    seen.usual.learn(flow, began, peak, bounds.floor);
                }
            }
        }
        // The first hour was not watched from its beginning.
        let follows = whole && self.hour_ends != Time::default();
        self.hour_began = follows.then_some(self.hour_ends);
        self.hour_ends = seen.usual.hour_end(seen.now);
        for place in &mut self.sides {
            if let Some(side) = place {
                side.peak = 0;
                if side.is_over(seen.now) {
                    *place = None;
                }
            }
        }
    }
}

impl Side {
    fn new<K: Kind>() -> Self {
        Self {
            ceiling: Rate::new(K::CEILING_WINDOW),
            usual: Rate::new(TEN_SECONDS),
            peak: 0,
            case: None,
        }
    }

    /// Whether nothing is open, and nothing in its windows.
    fn is_over(&mut self, now: Time) -> bool {
        self.case.is_none()
            && self.usual.sum(now).is_nothing()
            && self.ceiling.sum(now).is_nothing()
    }

    fn add(&mut self, counted: Counted, now: Time) {
        self.ceiling.add(counted, now);
        self.usual.add(counted, now);
    }

    /// What is crossed now: the ceiling comes first.
    fn crossed<K: Kind>(
        &mut self,
        index: usize,
        flow: Flow,
        seen: &Seen<'_>,
        bounds: &Bounds,
    ) -> Option<Crossed> {
        let refusals = |window: Duration| K::REFUSALS_PER_SECOND.saturating_mul(window.as_secs());
        let of_ten = self.usual.sum(seen.now).unexcused(refusals(TEN_SECONDS));
        self.peak = self.peak.max(of_ten);
        let ceiling = bounds.ceilings.get(index).copied().unwrap_or(u64::MAX);
        let refusals = refusals(K::CEILING_WINDOW);
        let counted = self.ceiling.sum(seen.now).unexcused(refusals);
        if counted >= ceiling {
            return Some(Crossed {
                criterion: Criterion {
                    measure: K::MEASURE,
                    counted,
                    threshold: ceiling,
                    window: K::CEILING_WINDOW,
                },
                severity: 0,
            });
        }
        if of_ten < bounds.floor {
            return None;
        }
        let (spreads, learning) = (bounds.spreads, bounds.learning);
        let limit = seen.usual.limit(flow, seen.now, spreads, learning)?;
        let threshold = limit.max(bounds.floor);
        (of_ten >= threshold).then_some(Crossed {
            criterion: Criterion {
                measure: K::MEASURE,
                counted: of_ten,
                threshold,
                window: TEN_SECONDS,
            },
            severity: 1,
        })
    }

    /// Opens an anomaly, or adds to the one that is open.
    fn tell<K: Kind>(
        &mut self,
        index: usize,
        crossed: Crossed,
        counted: Counted,
        recent: &Recent,
        seen: &mut Seen<'_>,
    ) {
        let now = seen.now;
        let Some(&severity) = K::SEVERITIES.get(crossed.severity) else {
            return;
        };
        let sign = Sign {
            at: now,
            passed_at: now,
            ..Sign::default()
        };
        if let Some(case) = &mut self.case {
            case.add(&sign, counted.seen);
            case.rise(severity);
            return;
        }
        let opening = Opening {
            id: seen.next_id(),
            detector: K::ID,
            attack_ids: K::ATTACK_IDS,
            severity,
            crossed: crossed.criterion,
            crossed_at: now,
        };
        let mut case = Case::open(opening, []);
        case.add(&sign, crossed.criterion.counted);
        let unusual = (crossed.severity == 1).then_some("more than usual at this time");
        case.describe(unusual.map(str::to_owned));
        if K::is_aimed_at_pod(index) {
            case = case.against_pod();
        } else {
            for sign in recent.signs(now) {
                case.add(&sign, 0);
            }
        }
        self.case = Some(Box::new(case));
    }
}
