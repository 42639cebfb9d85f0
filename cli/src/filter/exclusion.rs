//! What is not wanted.

use std::str::FromStr;

use api::{filter::subject, v1};
use clap::ValueEnum as _;

use super::{label::Label, pods::Pods};
use crate::severity::Severity;

/// States of events, and of anomalies.
const STATES: [&str; 4] = ["opened", "updated", "closed", "open"];

/// `FIELD=VALUE`.
#[derive(Clone, Debug)]
pub(super) enum Exclusion {
    Namespace(String),
    Pod(Box<Pods>),
    Label(Label),
    Node(String),
    Detector(String),
    Severity(Severity),
    State(String),
}

impl FromStr for Exclusion {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fields = "it takes FIELD=VALUE, where the field is namespace, pod, label, node, detector, severity or state";
        let (field, value) = text.split_once('=').ok_or(fields)?;
        Ok(match field {
            "namespace" => Self::Namespace(value.to_owned()),
            "pod" => Self::Pod(Box::new(value.parse()?)),
            "label" => Self::Label(value.parse()?),
            "node" => Self::Node(value.to_owned()),
            "detector" => Self::Detector(value.to_owned()),
            "severity" => {
                let read = Severity::from_str(value, false);
                Self::Severity(read.map_err(|_| "there are info, low, medium and high")?)
            }
            "state" if STATES.contains(&value) => Self::State(value.to_owned()),
            "state" => return Err(format!("there are {}", STATES.join(", "))),
            _ => return Err(fields.to_owned()),
        })
    }
}

impl Exclusion {
    /// That it names.
    pub(super) fn detector(&self) -> Option<&str> {
        match self {
            Self::Detector(name) => Some(name),
            _ => None,
        }
    }

    pub(super) fn matches(&self, event: &v1::Event, state: &str) -> bool {
        let subject = subject(event);
        match self {
            Self::Namespace(name) => subject.is_some_and(|it| it.namespace == *name),
            Self::Pod(pods) => subject.is_some_and(|it| pods.matches(&it.namespace, &it.pod)),
            Self::Label(label) => subject.is_some_and(|it| label.is_of(&it.labels)),
            Self::Node(name) => event.id.as_ref().is_some_and(|it| it.node == *name),
            Self::Detector(name) => event.detector == *name,
            Self::Severity(severity) => event.severity() == v1::Severity::from(*severity),
            Self::State(name) => state == name,
        }
    }
}
