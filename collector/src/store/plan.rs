//! What a group of batches changes in the log: pure, so that it is the same in every database.

use std::collections::HashMap;

use api::{
    encoding,
    v1::{self, Timestamp},
};
use bytes::Bytes;

use super::{
    engine::{Changes, Head, Held, Mark, NewRow, Source},
    entry::{Append, Record, nanoseconds},
    error::StoreError,
};
use crate::correlate::Correlator;

/// How far ahead a clock may be before it spoils what is known of the order of times: a day.
const AHEAD: i64 = 24 * 60 * 60 * 1_000_000_000;

/// What one commit changes.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) changes: Changes,
    /// One for each batch: whether it can be stored.
    pub(super) results: Vec<Result<(), StoreError>>,
    /// What people had raised, as it is in the log.
    pub(super) raised: Vec<v1::Event>,
    pub(super) counts: Counts,
}

/// What metrics tell of it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counts {
    pub(super) stored: u64,
    pub(super) duplicates: u64,
    pub(super) lost: u64,
    /// Of those stored, what the collector raised itself.
    pub(super) raised: u64,
    /// Of the records.
    pub(super) bytes: usize,
}

/// Who takes part in a group, each once.
pub(super) fn sources(appends: &[Append], epoch: u64) -> Vec<Source> {
    let agents = appends.iter().map(|append| Source {
        node: append.node.clone(),
        epoch: append.epoch,
    });
    let mut sources: Vec<_> = agents.chain([Source::collector(epoch)]).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

/// Plans a group; `drafts` are what people have raised, and `due` closes the correlations that time has ended.
pub(super) fn plan(
    head: Head,
    held: impl IntoIterator<Item = (Source, Option<Held>)>,
    appends: &[Append],
    drafts: &[v1::Event],
    due: bool,
    correlator: &mut Correlator,
    now: Timestamp,
) -> Plan {
    let now_ns = nanoseconds(now).max(head.committed_at);
    let agents = held
        .into_iter()
        .map(|(source, held)| (source, Agent::new(held)));
    let own = Source::collector(correlator.epoch());
    let mut planning = Planning {
        head,
        agents: agents.collect(),
        rows: Vec::with_capacity(appends.iter().map(|it| it.records.len()).sum()),
        counts: Counts::default(),
        now: now_ns,
        own,
    };
    correlator.resume(planning.held(&planning.own).sequence);
    let mut results = Vec::with_capacity(appends.len());
    for append in appends {
        results.push(planning.append(append, correlator, now));
    }
    let drafts = drafts.iter();
    let raised = drafts.map(|draft| planning.take_down(draft, correlator, now));
    let raised = raised.collect();
    if due {
        planning.raise(&correlator.close_due(now.into()));
    }
    planning.end(results, raised)
}

struct Planning {
    head: Head,
    agents: HashMap<Source, Agent>,
    rows: Vec<NewRow>,
    counts: Counts,
    now: i64,
    own: Source,
}

struct Agent {
    held: Held,
    changed: bool,
}

impl Agent {
    fn new(held: Option<Held>) -> Self {
        Self {
            // It is given an id when there is something to hold.
            held: held.unwrap_or(Held { id: 0, sequence: 0 }),
            changed: false,
        }
    }
}

impl Planning {
    fn held(&self, source: &Source) -> Held {
        let none = Held { id: 0, sequence: 0 };
        self.agents.get(source).map_or(none, |agent| agent.held)
    }

    fn append(
        &mut self,
        append: &Append,
        correlator: &mut Correlator,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let source = Source {
            node: append.node.clone(),
            epoch: append.epoch,
        };
        let highest = self.held(&source).sequence;
        if append.after > highest {
            return Err(StoreError::Behind {
                after: append.after,
                highest,
            });
        }
        if append.through <= highest {
            self.counts.duplicates += append.records.len() as u64;
            return Ok(());
        }
        let agent = self.advance(&source, append.through);
        for record in &append.records {
            if record.sequence <= highest {
                self.counts.duplicates += 1;
                continue;
            }
            let sighting = record.sighting.as_deref();
            let into = sighting.and_then(|sighting| correlator.mark(sighting, now.into()));
            let marked = into.map(|into| encoding::correlate(&record.bytes, into));
            self.store(
                agent,
                record,
                marked.unwrap_or_else(|| record.bytes.clone()),
            );
            if let Some(sighting) = sighting {
                let raised = correlator.observe(sighting, now.into());
                self.raise(&raised);
            }
        }
        Ok(())
    }

    /// Stores what the collector raised itself.
    fn raise(&mut self, events: &[v1::Event]) {
        let own = self.own.clone();
        for event in events {
            let record = Record::from(event);
            let agent = self.advance(&own, record.sequence);
            self.store(agent, &record, record.bytes.clone());
            self.counts.raised += 1;
        }
    }

    /// Stores what a person had raised; it is no correlation, and nothing is correlated from it.
    fn take_down(
        &mut self,
        draft: &v1::Event,
        correlator: &mut Correlator,
        now: Timestamp,
    ) -> v1::Event {
        let id = correlator.next_id();
        let event = v1::Event {
            anomaly_id: format!(
                "{}/{}/{}/{}",
                id.node, id.epoch, draft.detector, id.sequence
            ),
            id: Some(id),
            raised_at: Some(now),
            ..draft.clone()
        };
        let record = Record::from(&event);
        let own = self.own.clone();
        let agent = self.advance(&own, record.sequence);
        self.store(agent, &record, record.bytes.clone());
        v1::Event {
            cursor: self.head.last,
            ..event
        }
    }

    /// The id of an agent that is to hold all up to the sequence.
    fn advance(&mut self, source: &Source, sequence: u64) -> u64 {
        let agents = &mut self.agents;
        let agent = agents
            .entry(source.clone())
            .or_insert_with(|| Agent::new(None));
        if agent.held.id == 0 {
            self.head.agents += 1;
            agent.held.id = self.head.agents;
        }
        agent.held.sequence = sequence;
        agent.changed = true;
        agent.held.id
    }

    fn store(&mut self, agent: u64, record: &Record, bytes: Bytes) {
        self.head.last += 1;
        self.head.bytes += bytes.len() as u64;
        if let Some(raised_at) = record.raised_at {
            let believed = raised_at.min(self.now.saturating_add(AHEAD));
            self.head.newest = self.head.newest.max(believed);
            self.counts.stored += 1;
        }
        self.counts.lost += record.lost;
        self.counts.bytes += bytes.len();
        self.rows.push(NewRow {
            cursor: self.head.last,
            agent,
            sequence: record.sequence,
            kind: record.kind,
            bytes,
        });
    }

    fn end(mut self, results: Vec<Result<(), StoreError>>, raised: Vec<v1::Event>) -> Plan {
        let mut mark = None;
        if !self.rows.is_empty() {
            self.head.committed_at = self.now;
            let interval = i64::try_from(Mark::INTERVAL.as_nanos()).unwrap_or(i64::MAX);
            if self.now.saturating_sub(self.head.marked_at) >= interval {
                self.head.marked_at = self.now;
                mark = Some(Mark {
                    cursor: self.head.last,
                    committed_at: self.now,
                    newest: self.head.newest,
                });
            }
        }
        let agents = self.agents.into_iter();
        let agents = agents.filter(|(_, agent)| agent.changed);
        let mut agents: Vec<_> = agents.map(|(source, agent)| (source, agent.held)).collect();
        // In the order of all replicas, so that none waits for another in a circle.
        agents.sort_unstable_by_key(|(_, held)| held.id);
        Plan {
            changes: Changes {
                head: self.head,
                agents,
                rows: self.rows,
                mark,
            },
            results,
            raised,
            counts: self.counts,
        }
    }
}

#[cfg(test)]
mod tests;
