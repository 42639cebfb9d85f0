//! Short names of one registered domain that do not exist, or that nobody answers.

use std::{collections::VecDeque, time::Duration};

use domain::base::iana::Rcode;

use super::thresholds::{Thresholds, WORDS};
use crate::{
    Time,
    case::Sign,
    dns::{
        asked::{self, Asked, Names},
        groups::{Group, Groups},
    },
    hash::hash,
    messages::{Exchanged, Name, is_public},
    tally::Tally,
    window::HORIZONS,
};

/// Registered domains remembered of one pod.
const DOMAINS: usize = 8;
/// Questions that may wait for an answer.
const WAITING: usize = 128;
/// A question without an answer for so long has none: longer than a name server takes that asks others.
const PATIENCE: Duration = Duration::from_secs(2);
/// Words that people give to hosts are no longer.
const WORD: usize = 24;

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(super) struct Words {
    domains: Groups<u64, Domain>,
    waiting: VecDeque<Question>,
}

/// A question without an answer so far.
#[derive(Clone, Debug)]
struct Question {
    at: Time,
    domain: u64,
    name: u64,
    asked: Asked,
}

/// Names of a domain.
#[derive(Clone, Debug)]
pub(super) struct Domain {
    unknown: Names,
    known: Tally<u64>,
}

impl Default for Words {
    fn default() -> Self {
        Self {
            domains: Groups::new(DOMAINS),
            waiting: VecDeque::new(),
        }
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self {
            unknown: Tally::new(WORDS as usize),
            known: Tally::new(WORDS as usize),
        }
    }
}

impl Words {
    /// A piece of evidence and its domain, if a message is one that is new.
    pub(super) fn take_in(
        &mut self,
        exchanged: &Exchanged,
        forgotten: &mut u64,
    ) -> Option<(Sign, &Domain)> {
        let (at, message) = (exchanged.at, &exchanged.message);
        let domain = hash(word_of(&message.name)?);
        let name = message.name.key();
        let asked = Asked::new(exchanged, message.name.text());
        let Some(answer) = message.answer else {
            if self.waiting.len() == WAITING {
                self.waiting.pop_front();
                *forgotten += 1;
            }
            self.waiting.push_back(Question {
                at,
                domain,
                name,
                asked,
            });
            return None;
        };
        self.waiting.retain(|question| question.name != name);
        match answer.rcode {
            Rcode::NXDOMAIN if answer.records == 0 => self.fail(domain, name, asked, at, forgotten),
            Rcode::NXDOMAIN | Rcode::NOERROR => {
                if let Some(domain) = self.domains.find(domain) {
                    domain.unknown.remove(&name);
                    domain.known.insert(name, (), at, forgotten);
                }
                None
            }
            _ => None,
        }
    }

    /// A question that nobody answered in time, as evidence if it is new. False when none waits so long.
    pub(super) fn expire(
        &mut self,
        now: Time,
        forgotten: &mut u64,
    ) -> Option<Option<(Sign, &Domain)>> {
        let oldest = self.waiting.front()?;
        if now.since(oldest.at) < PATIENCE {
            return None;
        }
        let question = self.waiting.pop_front()?;
        let at = question.at + PATIENCE;
        Some(self.fail(
            question.domain,
            question.name,
            question.asked,
            at,
            forgotten,
        ))
    }

    /// Answers may have been missed.
    pub(super) fn excuse(&mut self) {
        self.waiting.clear();
    }

    fn fail(
        &mut self,
        domain: u64,
        name: u64,
        asked: Asked,
        at: Time,
        forgotten: &mut u64,
    ) -> Option<(Sign, &Domain)> {
        let domain = self.domains.of(domain, at, forgotten);
        let sign = asked.sign(at);
        (!domain.known.contains(&name) && domain.unknown.insert(name, asked, at, forgotten))
            .then_some((sign, &*domain))
    }

    pub(super) fn clear(&mut self) {
        self.domains.clear();
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.domains.heap_bytes()
            + self.waiting.capacity() * size_of::<Question>()
            + self
                .waiting
                .iter()
                .map(|it| it.asked.bytes())
                .sum::<usize>()
    }
}

impl Domain {
    /// The horizon that is crossed at that time, what was counted in it, and the count it takes. Names
    /// that do not exist must outnumber those that do.
    pub(super) fn crossed(&self, at: Time, thresholds: &Thresholds) -> Option<(usize, u32, u32)> {
        let (unknown, known) = (self.unknown.counts(at), self.known.counts(at));
        let limits = [
            thresholds.unknown_names_per_minute,
            thresholds.unknown_names_per_hour,
        ];
        let mut horizons = 0..HORIZONS.len();
        horizons
            .find(|&it| unknown[it] >= limits[it] && unknown[it] > known[it])
            .map(|horizon| (horizon, unknown[horizon], limits[horizon]))
    }

    /// The evidence of a horizon.
    pub(super) fn evidence(&self, horizon: usize, at: Time) -> Vec<Sign> {
        asked::evidence(&self.unknown, at - HORIZONS[horizon]).collect()
    }
}

impl Group for Domain {
    fn weight(&self, now: Time) -> u32 {
        self.unknown.counts(now)[HORIZONS.len() - 1]
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        asked::heap_bytes(&self.unknown) + self.known.heap_bytes()
    }
}

/// The registered domain of a name that is one word of it, or two. Names with a search suffix behind a name
/// of their own are none, nor are those of services, and of block lists (which begin with an address).
fn word_of(name: &Name) -> Option<&str> {
    let below = name.below();
    let is_word = !below.is_empty()
        && below.len() <= WORD
        && below.split('.').count() <= 2
        && !below.contains(['_', '\\'])
        && !(below.contains('.') && is_public(below))
        && name.service().is_none()
        && !name.is_local()
        && !name.is_arpa();
    name.registered().filter(|_| is_word)
}
