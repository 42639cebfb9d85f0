//! What was let go of: by severity, between which sequences and moments.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::v1::{self, Severity};

use super::record::number;

/// A severity that is known; the lowest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(super) enum Level {
    Info,
    Low,
    Medium,
    High,
}

impl Level {
    pub(super) const ALL: [Self; 4] = [Self::Info, Self::Low, Self::Medium, Self::High];

    pub(super) fn of(event: &v1::Event) -> Self {
        match event.severity() {
            Severity::Unspecified | Severity::Info => Self::Info,
            Severity::Low => Self::Low,
            Severity::Medium => Self::Medium,
            Severity::High => Self::High,
        }
    }

    pub(super) const fn severity(self) -> Severity {
        match self {
            Self::Info => Severity::Info,
            Self::Low => Severity::Low,
            Self::Medium => Severity::Medium,
            Self::High => Severity::High,
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

/// Seconds and nanoseconds since 1970.
pub(super) type Moment = (i64, i32);

pub(super) fn moment(event: &v1::Event) -> Option<Moment> {
    event.raised_at.map(|at| (at.seconds, at.nanos))
}

/// Events that are missing. Never empty.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Loss {
    pub(super) first: u64,
    pub(super) last: u64,
    pub(super) by_level: [u64; 4],
    /// Of a severity that nobody knows any more.
    pub(super) unknown: u64,
    pub(super) merged_updates: u64,
    /// When the first and the last were raised.
    pub(super) raised: Option<(Moment, Moment)>,
}

impl Loss {
    /// Of its encoded form.
    pub(super) const BYTES: usize = 8 * 8 + 2 * 12;

    pub(super) fn dropped(level: Level, sequence: u64, raised: Option<Moment>) -> Self {
        let mut loss = Self::between(sequence, sequence);
        loss.by_level[level.index()] = 1;
        loss.raised = raised.map(|at| (at, at));
        loss
    }

    pub(super) fn merged(sequence: u64, raised: Option<Moment>) -> Self {
        Self {
            merged_updates: 1,
            raised: raised.map(|at| (at, at)),
            ..Self::between(sequence, sequence)
        }
    }

    pub(super) fn between(first: u64, last: u64) -> Self {
        Self {
            first,
            last,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.first = self.first.min(other.first);
        self.last = self.last.max(other.last);
        for (sum, more) in self.by_level.iter_mut().zip(other.by_level) {
            *sum = sum.saturating_add(more);
        }
        self.unknown = self.unknown.saturating_add(other.unknown);
        self.merged_updates = self.merged_updates.saturating_add(other.merged_updates);
        self.raised = match (self.raised, other.raised) {
            (Some(mine), Some(others)) => Some((mine.0.min(others.0), mine.1.max(others.1))),
            (mine, others) => mine.or(others),
        };
    }

    pub(super) fn events(&self) -> u64 {
        let known = self
            .by_level
            .iter()
            .fold(0_u64, |a, b| a.saturating_add(*b));
        known.saturating_add(self.unknown)
    }

    /// All but the first sequence.
    pub(super) fn encode(&self) -> [u8; Self::BYTES] {
        let Self {
            last,
            unknown,
            merged_updates,
            ..
        } = *self;
        let mut bytes = [0; Self::BYTES];
        let [info, low, medium, high] = self.by_level;
        let numbers = [
            last,
            unknown,
            merged_updates,
            info,
            low,
            medium,
            high,
            u64::from(self.raised.is_some()),
        ];
        for (to, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            to.copy_from_slice(&number.to_le_bytes());
        }
        let (first, last) = self.raised.unwrap_or_default();
        for (to, (seconds, nanos)) in bytes[64..].chunks_exact_mut(12).zip([first, last]) {
            to[..8].copy_from_slice(&seconds.to_le_bytes());
            to[8..].copy_from_slice(&nanos.to_le_bytes());
        }
        bytes
    }

    pub(super) fn decode(first: u64, payload: &[u8]) -> Option<Self> {
        let bytes = <&[u8; Self::BYTES]>::try_from(payload).ok()?;
        let at = |index: usize| number(&bytes[index * 8..index * 8 + 8]);
        let moment = |at: usize| {
            let nanos = number(&bytes[at + 8..at + 12]) as u32;
            (
                number(&bytes[at..at + 8]).cast_signed(),
                nanos.cast_signed(),
            )
        };
        let loss = Self {
            first,
            last: at(0),
            unknown: at(1),
            merged_updates: at(2),
            by_level: [at(3), at(4), at(5), at(6)],
            raised: (at(7) == 1).then(|| (moment(64), moment(76))),
        };
        (first <= loss.last).then_some(loss)
    }

    /// For the wire; the node is for who sends it to fill in.
    pub(super) fn gap(&self, epoch: u64, reason: &str) -> v1::Gap {
        let known = Level::ALL
            .iter()
            .map(|level| (level.severity(), self.by_level[level.index()]));
        let lost = [(Severity::Unspecified, self.unknown)]
            .into_iter()
            .chain(known)
            .filter(|(_, events)| *events > 0)
            .map(|(severity, events)| v1::Lost {
                severity: severity.into(),
                events,
            });
        v1::Gap {
            events: self.events(),
            reason: reason.into(),
            id: Some(v1::EventId {
                epoch,
                sequence: self.first,
                ..v1::EventId::default()
            }),
            last_sequence: self.last,
            lost: lost.collect(),
            merged_updates: self.merged_updates,
            first_raised_at: self
                .raised
                .and_then(|raised| time(raised.0))
                .map(Into::into),
            last_raised_at: self
                .raised
                .and_then(|raised| time(raised.1))
                .map(Into::into),
            ..v1::Gap::default()
        }
    }
}

/// None of what no clock shows.
fn time((seconds, nanos): Moment) -> Option<SystemTime> {
    let since = Duration::new(seconds.try_into().ok()?, nanos.try_into().ok()?);
    UNIX_EPOCH.checked_add(since)
}
