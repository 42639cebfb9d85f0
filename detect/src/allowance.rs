//! How many events there may be: a token bucket for each pod, and one for the node.

use std::time::Duration;

use hashbrown::HashSet;

use crate::{Anomaly, AnomalyId, State, Time};

/// Events of a pod at once, and one more each so long: more than 30 detectors can open and close.
const POD: Rate = Rate {
    burst: 64,
    each: Duration::from_secs(10),
};
/// Events of a node at once, and one more each so long.
const NODE: Rate = Rate {
    burst: 1024,
    each: Duration::from_millis(200),
};

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: u64,
    each: Duration,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    rate: Rate,
    spent: u64,
    since: Time,
}

impl Bucket {
    const fn new(rate: Rate) -> Self {
        Self {
            rate,
            spent: 0,
            since: Time::from_nanoseconds(0),
        }
    }

    fn refill(&mut self, now: Time) {
        let each = u64::try_from(self.rate.each.as_nanos()).unwrap_or(u64::MAX);
        let passed = now.since(self.since).as_nanos() / u128::from(each);
        let passed = u64::try_from(passed).unwrap_or(u64::MAX);
        if passed >= self.spent {
            self.spent = 0;
            self.since = now;
        } else {
            self.spent -= passed;
            self.since = self.since + Duration::from_nanos(passed.saturating_mul(each));
        }
    }

    const fn has_tokens(&self, share: u64) -> bool {
        self.spent < self.rate.burst / share
    }
}

/// What a pod has been told of, and what was held back.
#[derive(Clone, Debug)]
pub(crate) struct Allowance {
    bucket: Bucket,
    /// Anomalies whose opening was held back; as many as there are tokens at most, and detectors.
    untold: HashSet<(&'static str, AnomalyId)>,
    /// Anomalies that opened in shadow, and stay there.
    shaded: HashSet<(&'static str, AnomalyId)>,
    /// Events held back since the last one that was told.
    withheld: u64,
}

impl Default for Allowance {
    fn default() -> Self {
        Self {
            bucket: Bucket::new(POD),
            untold: HashSet::new(),
            shaded: HashSet::new(),
            withheld: 0,
        }
    }
}

/// What the node may tell.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NodeAllowance(Bucket);

impl Default for NodeAllowance {
    fn default() -> Self {
        Self(Bucket::new(NODE))
    }
}

impl Allowance {
    /// Holds back what is too much of what was found since then. The end of what was told is always told,
    /// and what is told next says how much was held back.
    pub(crate) fn hold_back(
        &mut self,
        node: &mut NodeAllowance,
        found: &mut Vec<Anomaly>,
        since: usize,
        now: Time,
    ) {
        if found.len() == since {
            return;
        }
        self.bucket.refill(now);
        node.0.refill(now);
        self.filter(found, since, |own, anomaly| own.tells(node, anomaly));
    }

    /// Holds back the ends of what nobody was told of, of what was found since then.
    pub(crate) fn end(&mut self, found: &mut Vec<Anomaly>, since: usize) {
        self.filter(found, since, |own, anomaly| own.is_told(anomaly));
    }

    fn filter(
        &mut self,
        found: &mut Vec<Anomaly>,
        since: usize,
        mut tells: impl FnMut(&mut Self, &mut Anomaly) -> bool,
    ) {
        for mut anomaly in found.split_off(since) {
            self.shade(&mut anomaly);
            if tells(self, &mut anomaly) {
                anomaly.withheld = std::mem::take(&mut self.withheld);
                found.push(anomaly);
            } else {
                self.withheld += 1;
            }
        }
    }

    /// An anomaly ends in shadow as it opened, whatever the detector is by then.
    fn shade(&mut self, anomaly: &mut Anomaly) {
        let key = (anomaly.detector, anomaly.id);
        match anomaly.state {
            State::Opened if anomaly.shadow => {
                self.shaded.insert(key);
            }
            State::Opened => {}
            State::Updated => anomaly.shadow = self.shaded.contains(&key),
            State::Closed => anomaly.shadow = self.shaded.remove(&key),
        }
    }

    fn is_told(&mut self, anomaly: &Anomaly) -> bool {
        !self.untold.remove(&(anomaly.detector, anomaly.id))
    }

    fn tells(&mut self, node: &mut NodeAllowance, anomaly: &mut Anomaly) -> bool {
        let key = (anomaly.detector, anomaly.id);
        // Half of them are for what opens: nobody hides it behind what grows.
        let opens = anomaly.state == State::Opened || self.untold.contains(&key);
        let share = if opens { 1 } else { 2 };
        let has_tokens = self.bucket.has_tokens(share) && node.0.has_tokens(share);
        match anomaly.state {
            State::Closed => return self.is_told(anomaly),
            State::Opened if !has_tokens => {
                self.untold.insert(key);
            }
            State::Updated if has_tokens && self.untold.remove(&key) => {
                anomaly.state = State::Opened;
            }
            State::Opened | State::Updated => {}
        }
        if has_tokens {
            self.bucket.spent += 1;
            node.0.spent += 1;
        }
        has_tokens
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Criterion, Measure, Severity, Subject,
        case::{Case, Opening},
    };

    fn anomaly(serial: u64, state: State) -> Anomaly {
        let opening = Opening {
            id: AnomalyId {
                subject: Subject {
                    ifindex: 1,
                    epoch: 1,
                },
                serial,
            },
            detector: "port_scan",
            attack_ids: &[],
            severity: Severity::Low,
            crossed: Criterion {
                measure: Measure::Packets,
                counted: 1,
                threshold: 1,
                window: Duration::ZERO,
            },
            crossed_at: Time::default(),
        };
        Case::open(opening, []).anomaly(state, None)
    }

    fn at(second: u64) -> Time {
        Time::from_nanoseconds(second * 1_000_000_000)
    }

    #[test]
    fn a_burst_is_told_then_one_each_while_and_what_was_held_back_is_counted() {
        let (mut pod, mut node) = (Allowance::default(), NodeAllowance::default());
        let mut found: Vec<_> = (0..100).map(|n| anomaly(n, State::Opened)).collect();
        pod.hold_back(&mut node, &mut found, 0, at(1000));
        assert_eq!(found.len(), 64);
        let mut tell = |serial, state, second| {
            let mut found = vec![anomaly(serial, state)];
            pod.hold_back(&mut node, &mut found, 0, at(second));
            found.pop().map(|it| (it.state, it.withheld))
        };
        assert_eq!(tell(0, State::Updated, 1009), None);
        assert_eq!(tell(0, State::Closed, 1009), Some((State::Closed, 37)));
        assert_eq!(tell(99, State::Closed, 1009), None, "nobody knows it");
        assert_eq!(
            tell(98, State::Updated, 1010),
            Some((State::Opened, 1)),
            "told late"
        );
        assert_eq!(tell(98, State::Updated, 1020), None, "half is for openings");
        assert_eq!(tell(101, State::Opened, 1020), Some((State::Opened, 1)));
        assert_eq!(tell(98, State::Updated, 1400), Some((State::Updated, 0)));
    }

    #[test]
    fn what_opened_in_shadow_stays_there() {
        let (mut pod, mut node) = (Allowance::default(), NodeAllowance::default());
        let mut tell = |state, shadow| {
            let mut found = vec![Anomaly {
                shadow,
                ..anomaly(1, state)
            }];
            pod.hold_back(&mut node, &mut found, 0, at(1000));
            found.pop().map(|it| it.shadow)
        };
        assert_eq!(tell(State::Opened, true), Some(true));
        assert_eq!(tell(State::Updated, false), Some(true));
        assert_eq!(tell(State::Closed, false), Some(true));
        assert_eq!(tell(State::Opened, false), Some(false));
        assert_eq!(tell(State::Updated, true), Some(false));
    }

    #[test]
    fn all_pods_together_have_the_node_s() {
        let mut node = NodeAllowance::default();
        let told = |_| {
            let mut found: Vec<_> = (0..64).map(|n| anomaly(n, State::Opened)).collect();
            Allowance::default().hold_back(&mut node, &mut found, 0, at(1));
            found.len()
        };
        assert_eq!((0..20).map(told).sum::<usize>(), 1024);
    }
}
