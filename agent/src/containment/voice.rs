//! How often it is said that something is not done.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use detect::{Subject, Time};

/// The same is said of one pod once in this time.
const AGAIN: Duration = Duration::from_secs(10 * 60);
/// Of all pods together, so many times a minute.
const PER_MINUTE: usize = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// Pods of which it is remembered what was said.
const REMEMBERED: usize = 4096;

/// Who wanted what is refused.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum By<'a> {
    /// The agent itself.
    #[default]
    Agent,
    /// A person, who has signed it.
    Operator(&'a str),
    /// Nobody who may command.
    Nobody,
}

/// Each of those who are refused has room of his own, so that nobody who may not command silences the others.
#[derive(Debug, Default)]
pub(super) struct Voices {
    agent: Voice,
    operators: Voice,
    nobody: Voice,
}

impl Voices {
    /// Of what this one wanted.
    pub(super) fn of(&mut self, by: By<'_>) -> &mut Voice {
        match by {
            By::Agent => &mut self.agent,
            By::Operator(_) => &mut self.operators,
            By::Nobody => &mut self.nobody,
        }
    }
}

/// What was said of late.
#[derive(Debug, Default)]
pub(super) struct Voice {
    said: BTreeMap<(Subject, &'static str), Time>,
    recent: VecDeque<Time>,
    withheld: u64,
}

impl Voice {
    /// Whether to say it now; how many were held back since the last one then.
    ///
    /// Of a person's command everything is said, as far as there is room, for he does not repeat himself.
    pub(super) fn says(
        &mut self,
        subject: Option<Subject>,
        what: &'static str,
        now: Time,
    ) -> Option<u64> {
        self.forget(now);
        let key = subject.map(|subject| (subject, what));
        let is_new = key.is_none_or(|key| !self.said.contains_key(&key));
        if !is_new || self.recent.len() >= PER_MINUTE || self.said.len() >= REMEMBERED {
            self.withheld += 1;
            return None;
        }
        if let Some(key) = key {
            self.said.insert(key, now);
        }
        self.recent.push_back(now);
        Some(std::mem::take(&mut self.withheld))
    }

    fn forget(&mut self, now: Time) {
        while self
            .recent
            .front()
            .is_some_and(|at| now.since(*at) >= MINUTE)
        {
            self.recent.pop_front();
        }
        self.said.retain(|_, at| now.since(*at) < AGAIN);
    }
}
