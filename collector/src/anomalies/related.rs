//! What belongs together: one anomaly with all of its events, others like it, and what each detector finds.

use std::collections::BTreeMap;

use api::v1;
use tonic::Status;

use super::{
    index::Index,
    record::{Ends, Record},
};
use crate::store::nanoseconds;

/// One anomaly, with where its events are.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) anomaly: v1::Anomaly,
    pub(super) own: Vec<u64>,
    pub(super) said: Vec<u64>,
    pub(super) actions: Vec<u64>,
    pub(super) related: Vec<v1::Anomaly>,
    /// Of the last event of each.
    pub(super) cursors: Vec<u64>,
}

/// What a detector finds on a node.
#[derive(Clone, Debug)]
pub(crate) struct Activity {
    pub(crate) detector: String,
    pub(crate) told: v1::DetectorActivity,
}

impl Index {
    /// The one of this id, if the caller may see it.
    pub(super) fn visible(&self, id: &str, seen: Option<&[String]>) -> Result<&Record, Status> {
        let record = self.find(id).filter(|it| self.sees(seen, it));
        record.ok_or_else(|| unknown(id))
    }

    /// Everything about one of them.
    pub(super) fn details(
        &self,
        id: &str,
        seen: Option<&[String]>,
        most: usize,
    ) -> Result<Told, Status> {
        let record = self.visible(id, seen)?;
        let mut others: Vec<_> = self
            .all()
            .filter(|it| it.id != record.id && self.sees(seen, it))
            .filter_map(|it| Some((kinship(record, it)?, it.updated_at, it)))
            .collect();
        others.sort_unstable_by_key(|(kinship, at, it)| {
            (std::cmp::Reverse((*kinship, *at)), it.last())
        });
        others.truncate(most);
        let others = others.into_iter().map(|(_, _, it)| it);
        let (related, cursors) = others
            .map(|it| (it.anomaly(&self.names), it.last()))
            .unzip();
        Ok(Told {
            anomaly: record.anomaly(&self.names),
            own: record.own.clone(),
            said: record.said.clone(),
            actions: record.actions.clone(),
            related,
            cursors,
        })
    }

    /// Who does what to whom, the worst first.
    pub(super) fn burning(&self, seen: Option<&[String]>) -> Vec<(String, v1::Severity, Ends)> {
        let open = self.open().filter(|it| !it.shadow && self.sees(seen, it));
        let mut open: Vec<_> = open
            .filter_map(|it| {
                let severity = v1::Severity::try_from(it.severity).unwrap_or_default();
                let ends = it.ends.as_deref()?.clone();
                Some((it.id.as_ref().to_owned(), severity, ends))
            })
            .collect();
        open.sort_by_key(|(_, severity, _)| std::cmp::Reverse(*severity));
        open
    }

    /// What each detector finds on each node, in the order of their names.
    pub(super) fn activity(&self) -> Vec<Activity> {
        let mut found: BTreeMap<_, (u32, i64)> = BTreeMap::new();
        for record in self.all() {
            let key = (
                self.names.text(record.detector),
                self.names.text(record.node),
            );
            let (open, last) = found.entry(key).or_default();
            *open += u32::from(record.is_open());
            *last = record.updated_at.max(*last);
        }
        let told = found
            .into_iter()
            .map(|((detector, node), (open, last))| Activity {
                detector: detector.into(),
                told: v1::DetectorActivity {
                    node: node.into(),
                    open,
                    last_raised_at: Some(super::record::time(last)),
                },
            });
        told.collect()
    }

    /// Where the last events are of those that were told of since then, oldest first.
    pub(super) fn since(&self, at: v1::Timestamp) -> Vec<u64> {
        let at = nanoseconds(at);
        let mut cursors: Vec<_> = self
            .all()
            .filter(|it| it.updated_at >= at)
            .map(Record::last)
            .collect();
        cursors.sort_unstable();
        cursors
    }

    fn sees(&self, seen: Option<&[String]>, record: &Record) -> bool {
        seen.is_none_or(|seen| {
            let namespace = self.names.text(record.namespace);
            seen.iter().any(|it| it == namespace)
        })
    }
}

/// How near two are to each other: part of the same, of one source, of one target.
fn kinship(one: &Record, other: &Record) -> Option<u8> {
    let part = |of: &Record, whole: &Record| of.into.as_deref() == Some(&*whole.id);
    let same = one.into.is_some() && one.into == other.into;
    if same || part(one, other) || part(other, one) {
        return Some(3);
    }
    if one.source != 0 && one.source == other.source {
        return Some(2);
    }
    let mut targets = one.targets.iter();
    targets.any(|it| other.targets.contains(it)).then_some(1)
}

pub(super) fn unknown(id: &str) -> Status {
    let shown: String = id.chars().take(64).collect();
    Status::not_found(format!(
        "no anomaly `{shown}` is known: retention may have removed it; list the anomalies to see what there is"
    ))
}
