//! What is taken of a batch, and what is refused.

use std::fmt;

use api::v1;

use super::{event, field::Fault, gap, id};
use crate::{
    identity::Identity,
    store::{Append, Record},
};

/// Events and gaps of one batch, at most.
const BATCH: usize = 256;

/// What a batch may come to: what is stored, and what its agent is told then.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) append: Append,
    pub(super) refusals: Vec<v1::Refusal>,
    pub(super) received: usize,
}

/// Why a batch ends its stream.
#[derive(Debug, thiserror::Error)]
pub(super) enum Malformed {
    #[error("a batch of {0} events and gaps is too large; send {BATCH} at most")]
    Large(usize),
    #[error(
        "sequence {next} does not follow {last}: the events, and the gaps, of a batch ascend, and begin after what it follows"
    )]
    Order { last: u64, next: u64 },
}

enum Item {
    Event(Box<v1::Event>),
    Gap(v1::Gap),
}

impl Item {
    fn id(&self) -> Option<&v1::EventId> {
        match self {
            Self::Event(event) => event.id.as_ref(),
            Self::Gap(gap) => gap.id.as_ref(),
        }
    }
}

/// Checks a batch of the agent that said hello.
pub(super) fn check(
    batch: v1::Batch,
    hello: &v1::Hello,
    identity: &Identity,
) -> Result<Checked, Malformed> {
    let received = batch.events.len() + batch.gaps.len();
    if received > BATCH {
        return Err(Malformed::Large(received));
    }
    let mut refusals = Vec::new();
    let events = batch.events.into_iter();
    let events = events.map(|event| Item::Event(Box::new(event)));
    let gaps = batch.gaps.into_iter().map(Item::Gap);
    let mut items = in_order(events, hello, &mut refusals, batch.after)?;
    items.extend(in_order(gaps, hello, &mut refusals, batch.after)?);
    items.sort_by_key(|(sequence, _)| *sequence);
    if let Some([(last, _), (next, _)]) = items
        .windows(2)
        .map(|pair| [&pair[0], &pair[1]])
        .find(|[(last, _), (next, _)]| last == next)
    {
        return Err(Malformed::Order {
            last: *last,
            next: *next,
        });
    }
    let through = items.last().map_or(0, |(sequence, _)| *sequence);
    let mut records = Vec::with_capacity(items.len());
    for (sequence, item) in items {
        match item {
            Item::Event(event) => match record(event, identity) {
                Ok(record) => records.push(record),
                Err(fault) => refusals.push(refusal(sequence, &fault)),
            },
            Item::Gap(mut gap) => match gap::check(&gap) {
                Ok(()) => {
                    gap.cursor = 0;
                    gap.node.clone_from(&hello.node);
                    records.push(Record::from(&gap));
                }
                Err(fault) => refusals.push(refusal(sequence, &fault)),
            },
        }
    }
    refusals.sort_by_key(|refusal| refusal.sequence);
    Ok(Checked {
        append: Append {
            node: hello.node.clone(),
            epoch: hello.epoch,
            after: batch.after,
            through,
            records,
        },
        refusals,
        received,
    })
}

fn record(mut event: Box<v1::Event>, identity: &Identity) -> Result<Record, Fault> {
    event::check(&event)?;
    event.cursor = 0;
    event.correlated_into.clear();
    event.correlated.clear();
    strip_labels(&mut event);
    identity.complete(&mut event);
    let record = Record::from(&*event);
    event::check_size(record.size())?;
    Ok(record)
}

/// Those with a sequence of this stream, if each follows the one before.
fn in_order(
    items: impl Iterator<Item = Item>,
    hello: &v1::Hello,
    refusals: &mut Vec<v1::Refusal>,
    after: u64,
) -> Result<Vec<(u64, Item)>, Malformed> {
    let mut last = after;
    let mut found = Vec::with_capacity(items.size_hint().0);
    for item in items {
        match id::sequence(item.id(), hello) {
            Ok(next) if next <= last => return Err(Malformed::Order { last, next }),
            Ok(next) => {
                last = next;
                found.push((next, item));
            }
            // Whose it is, is nobody's place in the order.
            Err(fault) => {
                let named = item.id().map_or(0, |id| id.sequence);
                refusals.push(refusal(named, &fault));
            }
        }
    }
    Ok(found)
}

/// Labels are what the collector knows of pods, not what an agent says.
fn strip_labels(event: &mut v1::Event) {
    let targets = event.targets.iter_mut();
    let targets = targets.filter_map(|target| target.endpoint.as_mut());
    for endpoint in event.source.iter_mut().chain(targets) {
        endpoint.labels.clear();
    }
}

fn refusal(sequence: u64, fault: &dyn fmt::Display) -> v1::Refusal {
    v1::Refusal {
        sequence,
        reason: fault.to_string(),
    }
}
