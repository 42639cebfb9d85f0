//! Distinct names that were asked for, and what an anomaly tells of them.

use std::net::IpAddr;

use crate::{Time, case::Sign, messages::Exchanged, tally::Tally};

/// Characters of a name that an anomaly tells; the longest names are data.
const SHOWN: usize = 64;

/// Names, or what they have in common, by their key.
pub(super) type Names = Tally<u64, Asked>;

/// That a name was asked for, or answered.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    at: Time,
    server: IpAddr,
    name: Box<str>,
}

impl Asked {
    pub(super) fn new(exchanged: &Exchanged, name: &str) -> Self {
        let name = if name.is_empty() { "." } else { name };
        let shown = match name.char_indices().nth(SHOWN) {
            Some((end, _)) => format!("{}...", name.get(..end).unwrap_or_default()).into(),
            None => name.into(),
        };
        Self {
            at: exchanged.at,
            server: exchanged.server,
            name: shown,
        }
    }

    /// Bytes it takes beside itself.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.name.len()
    }

    /// As evidence that was known then.
    pub(super) fn sign(&self, at: Time) -> Sign {
        Sign {
            at,
            passed_at: self.at,
            target: Some(self.server),
            sample: Some(self.name.to_string()),
            ..Sign::default()
        }
    }
}

/// The names since `start`, as evidence.
pub(super) fn evidence(names: &Names, start: Time) -> impl Iterator<Item = Sign> {
    names.since(start).map(|(_, at, asked)| asked.sign(at))
}

/// Bytes the names take now, the tally itself not counted.
#[cfg(test)]
pub(super) fn heap_bytes(names: &Names) -> usize {
    let all = names.since(Time::default());
    names.heap_bytes() + all.map(|(_, _, asked)| asked.bytes()).sum::<usize>()
}
