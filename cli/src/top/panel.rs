//! The panels: what each is called, its columns, and how it can be sorted.

mod anomalies;
mod links;
mod nodes;
mod pods;

use std::time::SystemTime;

use super::{
    row::{Column, Row},
    snapshot::Snapshot,
};

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Panel {
    Anomalies,
    Links,
    Pods,
    Nodes,
}

pub(super) const PANELS: [Panel; 4] = [Panel::Anomalies, Panel::Links, Panel::Pods, Panel::Nodes];

impl Panel {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Anomalies => "Open anomalies",
            Self::Links => "Who contacts whom",
            Self::Pods => "Budgets of pods",
            Self::Nodes => "Nodes",
        }
    }

    pub(super) const fn columns(self) -> &'static [Column] {
        match self {
            Self::Anomalies => anomalies::COLUMNS,
            Self::Links => links::COLUMNS,
            Self::Pods => pods::COLUMNS,
            Self::Nodes => nodes::COLUMNS,
        }
    }

    /// What its rows can be sorted by, in the order of their keys.
    pub(super) const fn sorts(self) -> &'static [&'static str] {
        match self {
            Self::Anomalies => anomalies::SORTS,
            Self::Links => links::SORTS,
            Self::Pods => pods::SORTS,
            Self::Nodes => nodes::SORTS,
        }
    }

    pub(super) fn rows(self, snapshot: &Snapshot, now: SystemTime) -> Vec<Row> {
        match self {
            Self::Anomalies => anomalies::rows(snapshot, now),
            Self::Links => links::rows(snapshot, now),
            Self::Pods => pods::rows(snapshot),
            Self::Nodes => nodes::rows(snapshot, now),
        }
    }

    /// Why it has no rows.
    pub(super) fn empty(self, snapshot: &Snapshot) -> String {
        match (self, &snapshot.nodes) {
            (Self::Pods | Self::Nodes, Err(why)) => why.clone(),
            (Self::Anomalies, _) => "No anomaly is open.".to_owned(),
            (Self::Links, _) => "No agent saw anybody talk to anybody of late.".to_owned(),
            (Self::Pods, _) => "No pod is watched.".to_owned(),
            (Self::Nodes, _) => "No node has published since the collector started.".to_owned(),
        }
    }
}
