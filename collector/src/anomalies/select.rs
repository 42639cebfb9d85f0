//! Finds the anomalies that a filter asks for, in the order in which people look at them.

use std::collections::BTreeMap;

use api::v1;

use super::{index::Index, names::Name, record::Record};
use crate::store::nanoseconds;

/// What is asked for, and by whom.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) filter: v1::AnomalyFilter,
    /// What the caller may see; none stands for all.
    pub(super) namespaces: Option<Vec<String>>,
    pub(super) offset: usize,
    pub(super) limit: usize,
}

/// A page, but for the events.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) response: v1::ListAnomaliesResponse,
    /// Where the last event of each is.
    pub(super) cursors: Vec<u64>,
}

/// A filter in terms of the index.
struct Compiled<'a> {
    filter: &'a v1::AnomalyFilter,
    namespaces: Option<Vec<Name>>,
    nodes: Option<Vec<Name>>,
    detectors: Option<Vec<Name>>,
    assignees: Option<Vec<Name>>,
    since: i64,
    until: i64,
    text: Option<memchr::memmem::Finder<'static>>,
}

impl Index {
    /// The page, and what can be chosen from.
    pub(super) fn select(&self, wanted: &Wanted) -> Found {
        let filter = Compiled::new(&wanted.filter, self);
        let seen = wanted.namespaces.as_deref().map(|it| self.named(it));
        let mut facets = Facets::new(self.names.len());
        let mut open = 0;
        let mut matching = Vec::new();
        for (slot, record) in self.records.iter().enumerate() {
            let Some(record) = record else {
                continue;
            };
            if seen
                .as_ref()
                .is_some_and(|it| !it.contains(&record.namespace))
            {
                continue;
            }
            facets.count(record);
            if filter.passes(record) {
                open += u32::from(record.is_open());
                let severity = u32::try_from(record.severity).unwrap_or(0);
                matching.push((record.is_open(), severity, record.updated_at, slot));
            }
        }
        let count = matching.len();
        let end = wanted.offset.saturating_add(wanted.limit).min(count);
        let start = wanted.offset.min(end);
        // The last of those first, which are the most urgent.
        if end < count {
            matching.select_nth_unstable_by(end, |a, b| b.cmp(a));
            matching.truncate(end);
        }
        matching.sort_unstable_by(|a, b| b.cmp(a));
        let records = matching[start..].iter();
        let records: Vec<_> = records
            .filter_map(|it| self.records[it.3].as_ref())
            .collect();
        Found {
            cursors: records.iter().map(|it| it.last()).collect(),
            response: v1::ListAnomaliesResponse {
                anomalies: records.iter().map(|it| it.anomaly(&self.names)).collect(),
                matching: u32::try_from(count).unwrap_or(u32::MAX),
                open,
                facets: facets.told(self),
                cursor: self.cursor,
                forgotten: self.forgotten,
            },
        }
    }

    /// Those of these names that are in use.
    pub(super) fn named(&self, texts: &[String]) -> Vec<Name> {
        texts.iter().filter_map(|it| self.names.find(it)).collect()
    }
}

impl<'a> Compiled<'a> {
    fn new(filter: &'a v1::AnomalyFilter, index: &Index) -> Self {
        let named = |texts: &[String]| (!texts.is_empty()).then(|| index.named(texts));
        let text = filter.text.to_lowercase();
        Self {
            filter,
            namespaces: named(&filter.namespaces),
            nodes: named(&filter.nodes),
            detectors: named(&filter.detectors),
            assignees: named(&filter.assignees),
            since: filter.since.map_or(i64::MIN, nanoseconds),
            until: filter.until.map_or(i64::MAX, nanoseconds),
            text: (!text.is_empty()).then(|| memchr::memmem::Finder::new(&text).into_owned()),
        }
    }

    fn passes(&self, record: &Record) -> bool {
        let among = |names: &Option<Vec<Name>>, name: Name| {
            names.as_ref().is_none_or(|names| names.contains(&name))
        };
        let one_of = |values: &[i32], value: i32| values.is_empty() || values.contains(&value);
        let filter = self.filter;
        (filter.include_shadow || !record.shadow)
            && (!filter.exclude_correlated || record.into.is_none())
            && record.updated_at >= self.since
            && record.opened_at < self.until
            && one_of(&filter.severities, record.severity)
            && one_of(&filter.states, state(record).into())
            && one_of(&filter.triage, record.triage.into())
            && among(&self.namespaces, record.namespace)
            && among(&self.nodes, record.node)
            && among(&self.detectors, record.detector)
            && among(&self.assignees, record.assignee)
            && (filter.pods.is_empty() || filter.pods.iter().any(|it| **it == *record.pod))
            && self
                .text
                .as_ref()
                .is_none_or(|text| text.find(record.text.as_bytes()).is_some())
    }
}

pub(super) const fn state(record: &Record) -> v1::AnomalyState {
    match record.closed_at {
        None => v1::AnomalyState::Open,
        Some(_) => v1::AnomalyState::Closed,
    }
}

/// How many share each value.
struct Facets {
    /// By name: as namespace, node, detector and assignee.
    named: Vec<[u32; 4]>,
    severities: BTreeMap<i32, u32>,
    states: [u32; 3],
    triage: [u32; 4],
}

impl Facets {
    fn new(names: usize) -> Self {
        Self {
            named: vec![[0; 4]; names],
            severities: BTreeMap::new(),
            states: [0; 3],
            triage: [0; 4],
        }
    }

    fn count(&mut self, record: &Record) {
        for (field, name) in [
            record.namespace,
            record.node,
            record.detector,
            record.assignee,
        ]
        .into_iter()
        .enumerate()
        {
            self.named[name.index()][field] += 1;
        }
        *self.severities.entry(record.severity).or_default() += 1;
        self.states[state(record) as usize] += 1;
        self.triage[record.triage as usize] += 1;
    }

    fn told(self, index: &Index) -> Vec<v1::Facet> {
        let facet = |field: &str, value: String, count| v1::Facet {
            field: field.into(),
            value,
            count,
        };
        let mut facets = Vec::new();
        for (field, name) in ["namespace", "node", "detector", "assignee"]
            .iter()
            .enumerate()
        {
            let values = self.named.iter().enumerate();
            let values = values.filter(|(_, counts)| counts[field] > 0);
            let mut values: Vec<_> = values
                .map(|(value, counts)| (index.names.text_at(value), counts[field]))
                .collect();
            values.sort_unstable_by_key(|(value, count)| (std::cmp::Reverse(*count), *value));
            // A menu with more is no help to anybody.
            values.truncate(1000);
            let told = values
                .into_iter()
                .filter(|(value, _)| !value.is_empty() || *name == "namespace");
            facets.extend(told.map(|(value, count)| facet(name, value.into(), count)));
        }
        for (severity, count) in self.severities.into_iter().rev() {
            let severity = v1::Severity::try_from(severity).unwrap_or_default();
            facets.push(facet("severity", api::names::severity(severity), count));
        }
        for state in [v1::AnomalyState::Open, v1::AnomalyState::Closed] {
            let count = self.states[state as usize];
            facets.push(facet("state", api::names::anomaly_state(state), count));
        }
        for triage in [
            v1::TriageState::New,
            v1::TriageState::Acknowledged,
            v1::TriageState::Resolved,
        ] {
            let count = self.triage[triage as usize];
            facets.push(facet("triage", api::names::triage_state(triage), count));
        }
        facets
    }
}
