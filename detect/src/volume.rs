//! How much of one kind of traffic a pod sends and receives, against a ceiling and against what is usual.

mod pod;
mod rate;
mod recent;

use std::time::Duration;

pub(crate) use self::{pod::Pod, rate::Rate, recent::Recent};
use crate::{
    Contact, Flow, Measure, Observation, Severity, Words,
    limits::{SECOND, Thresholds},
};

/// The window in which what is usual is counted, and for bytes also the ceiling: long enough that a burst of
/// a single request is not all there is in it.
pub(crate) const TEN_SECONDS: Duration = Duration::from_secs(10);

/// More than any interface carries packets within a second.
pub(crate) const MOST: u64 = 1_000_000_000;

/// Sent by the pod, and received by it.
pub(crate) const SIDES: usize = 2;

/// One kind of traffic.
pub(crate) trait Kind {
    /// Its thresholds.
    type Thresholds: Thresholds;

    /// The detector's id.
    const ID: &'static str;
    /// How to say what was found.
    const WORDS: Words;
    /// What is counted.
    const MEASURE: Measure = Measure::Packets;
    /// MITRE ATT&CK technique ids: denial of service, but for bytes.
    const ATTACK_IDS: &'static [&'static str] = &["T1498", "T1499"];
    /// Above the ceiling, and above what is usual.
    const SEVERITIES: [Severity; 2] = [Severity::High, Severity::Medium];
    /// The flow of each side, where there is one.
    const FLOWS: [Option<Flow>; SIDES];
    /// The window of the ceiling.
    const CEILING_WINDOW: Duration = SECOND;

    /// Refusals that excuse what was refused, within a second.
    const REFUSALS_PER_SECOND: u64 = u64::MAX;

    /// What an observation shows of each side, after such contacts.
    fn counted(observation: &Observation, recent: &Recent) -> [Counted; SIDES];

    /// Whether the contact tells at whom traffic of this kind is aimed.
    fn concerns(contact: &Contact) -> bool;

    /// Whether what is counted of the side is aimed at the pod itself.
    fn is_aimed_at_pod(side: usize) -> bool {
        side == 1
    }

    /// The thresholds in the terms of all kinds.
    fn bounds(thresholds: &Self::Thresholds) -> Bounds;
}

/// What the thresholds of every kind are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// Of each side within the window of the ceiling.
    pub(crate) ceilings: [u64; SIDES],
    /// Below so many within ten seconds nothing is unusual.
    pub(crate) floor: u64,
    /// So many spreads above the usual is unusual.
    pub(crate) spreads: u32,
    /// For so long what is usual is only learned.
    pub(crate) learning: Duration,
    /// When an anomaly is closed.
    pub(crate) quiet: Duration,
}

/// What is counted of one side.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Counted {
    /// Packets that may be of a flood, or bytes.
    pub(crate) seen: u64,
    /// How many of them are known not to be.
    pub(crate) excused: u64,
    /// How many of them were refused.
    pub(crate) refused: u64,
    /// Packets of their protocol in all, where it matters how many come of one.
    pub(crate) all: u64,
}

impl Counted {
    /// Bytes, or packets that nothing excuses.
    pub(crate) const fn plain(seen: u64) -> Self {
        Self {
            seen,
            excused: 0,
            refused: 0,
            all: 0,
        }
    }

    /// How many count in the end. None do when there are on average five packets for two of them: then
    /// they begin connections that come about. At most so many are excused by a refusal.
    pub(crate) fn unexcused(self, refusals: u64) -> u64 {
        if self.all.saturating_mul(2) >= self.seen.saturating_mul(5) {
            return 0;
        }
        let excused = self.excused.saturating_add(self.refused.min(refusals));
        self.seen.saturating_sub(excused)
    }

    pub(crate) const fn is_nothing(self) -> bool {
        self.seen == 0 && self.excused == 0 && self.refused == 0 && self.all == 0
    }
}

/// Declares the thresholds of a kind: its own, which have reasons of their own, and those of all kinds.
macro_rules! volume_thresholds {
    ($(#[$meta:meta])* { $($own:tt)+ }) => {
        $crate::limits::thresholds! {
            $(#[$meta])*
            Thresholds {
                $($own)+
                /// How many spreads above its usual hourly peak a pod is unusual; 4.
                ///
                /// A spread is at least a factor of the square root of 2 (see [`Cell`](crate::Cell)), so four are at least
                /// four times the usual peak. Peaks of network traffic vary by factors, not by sums: their logarithms
                /// are near a normal distribution, of which less than one in 30,000 lies above four spreads.
                spreads: u32 = 4, 1 => 100,
                    "unusual is so many spreads above the usual peak of an hour";
                /// How long what is usual is only learned; 7 days.
                ///
                /// By then every hour of the day and every day of the week was seen. Amazon's GuardDuty, which
                /// learns the same, takes 7 to 14 days.
                learning: std::time::Duration = 7 * $crate::limits::DAY,
                    $crate::limits::HOUR => 90 * $crate::limits::DAY,
                    "what is usual is only learned for so long";
                /// An anomaly that has been below what opened it for this long is closed; 60 s.
                quiet: std::time::Duration = $crate::limits::MINUTE,
                    $crate::limits::SECOND => $crate::limits::DAY,
                    "an anomaly that is over for so long is closed";
            }
        }

        impl Thresholds {
            /// In the terms of all kinds.
            const fn bounds(&self, ceilings: [u64; $crate::volume::SIDES]) -> $crate::volume::Bounds {
                $crate::volume::Bounds {
                    ceilings,
                    floor: self.floor_in_10s,
                    spreads: self.spreads,
                    learning: self.learning,
                    quiet: self.quiet,
                }
            }
        }
    };
}

pub(crate) use volume_thresholds;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_connections_does_not_count_and_what_was_refused_is_taken_off() {
        for (seen, excused, refused, all, expected) in [
            (100, 0, 0, 0, 100),
            (100, 30, 0, 0, 70),
            (100, 130, 0, 0, 0),
            (100, 0, 50, 0, 50),
            (100, 0, 51, 0, 50),
            (100, 30, 60, 0, 20),
            (100, 0, 0, 249, 100),
            (100, 0, 0, 250, 0),
            (0, 0, 0, 0, 0),
        ] {
            let counted = Counted {
                seen,
                excused,
                refused,
                all,
            };
            assert_eq!(counted.unexcused(50), expected, "{counted:?}");
        }
    }
}
