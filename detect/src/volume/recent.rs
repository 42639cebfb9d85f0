//! At whom traffic was aimed of late.

use std::{collections::VecDeque, net::IpAddr};

use super::{Kind, TEN_SECONDS};
use crate::{Contact, Outcome, Technique, Time, case::Sign};

/// Contacts that are remembered; the oldest makes room for another.
const CONTACTS: usize = 16;

/// The latest contacts of a kind. A flow tells its contact once in a while only, so this may be the contact
/// of another flow; of a flood it rarely is, which begins with one and is at once above its threshold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(VecDeque<Aimed>);

#[derive(Clone, Copy, Debug)]
struct Aimed {
    at: Time,
    address: IpAddr,
    port: u16,
    technique: Technique,
}

impl Recent {
    /// Takes in the contacts of an observation.
    pub(crate) fn take_in<K: Kind>(&mut self, contacts: &[Contact]) {
        for contact in contacts {
            let Outcome::Sent(technique) = contact.outcome else {
                continue;
            };
            if !K::concerns(contact) {
                continue;
            }
            let aimed = Aimed {
                at: contact.at,
                address: contact.peer,
                port: contact.port,
                technique,
            };
            self.0
                .retain(|it| (it.address, it.port) != (aimed.address, aimed.port));
            if self.0.len() == CONTACTS {
                self.0.pop_front();
            }
            self.0.push_back(aimed);
        }
    }

    /// Whether one of them began past the operating system.
    pub(crate) fn is_raw(&self) -> bool {
        self.0.iter().any(|it| it.technique == Technique::Syn)
    }

    /// Those of the last ten seconds, or the latest one.
    pub(crate) fn signs(&self, now: Time) -> impl Iterator<Item = Sign> {
        let since = now - TEN_SECONDS;
        let last = self.0.len().saturating_sub(1);
        let aimed = self.0.iter().enumerate();
        aimed
            .filter(move |&(index, aimed)| aimed.at >= since || index == last)
            .map(move |(_, aimed)| Sign {
                at: now,
                passed_at: aimed.at.max(since),
                target: Some(aimed.address),
                port: Some(aimed.port).filter(|&port| port != 0),
                technique: Some(aimed.technique),
                ..Sign::default()
            })
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        self.0.capacity() * size_of::<Aimed>()
    }
}
