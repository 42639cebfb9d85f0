//! Changes to the policy, made in its text; nothing is put in force by it.

use std::collections::BTreeMap;

use api::policy::{Change, NewException, edit};
use axum::{Extension, body::Bytes, extract::State, response::Response};
use serde::{Deserialize, Serialize};
use tonic::Status;

use super::{
    answer::{Refused, found},
    ask,
    shared::Shared,
};
use crate::access::{self, Caller};

/// Of one request.
const MOST: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Changes {
    changes: Vec<Wanted>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Wanted {
    detector: Option<String>,
    mode: Option<String>,
    threshold: Option<String>,
    value: Option<String>,
    add_exception: Option<Exception>,
    remove_exception: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Exception {
    name: String,
    owner: String,
    reason: String,
    detectors: Vec<String>,
    namespaces: Vec<String>,
    labels: BTreeMap<String, String>,
    targets: Vec<String>,
    until: String,
}

#[derive(Serialize)]
struct Edited {
    text: String,
    problems: Vec<String>,
}

pub(super) async fn edited(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Refused> {
    access::scope(&ask::request((), caller))?.see_nodes()?;
    let Changes { changes } = ask::body(&body)?;
    if changes.len() > MOST {
        return Err(Status::invalid_argument(format!("ask for {MOST} changes at most")).into());
    }
    let changes: Result<Vec<_>, _> = changes.into_iter().map(Wanted::change).collect();
    let detectors = &shared.services.detectors;
    let text = edit(&detectors.text(), &changes?);
    let text = text.map_err(|error| Status::failed_precondition(error.to_string()))?;
    let problems = detectors.problems(&text);
    Ok(found(&Edited { text, problems }))
}

impl Wanted {
    fn change(self) -> Result<Change, Status> {
        match self {
            Self {
                detector: Some(detector),
                mode: Some(mode),
                threshold: None,
                value: None,
                add_exception: None,
                remove_exception: None,
            } => Ok(Change::Set {
                detector,
                key: "mode".into(),
                value: mode,
            }),
            Self {
                detector: Some(detector),
                threshold: Some(key),
                value: Some(value),
                mode: None,
                add_exception: None,
                remove_exception: None,
            } => Ok(Change::Set {
                detector,
                key,
                value,
            }),
            Self {
                add_exception: Some(it),
                detector: None,
                remove_exception: None,
                ..
            } => Ok(Change::Add(Box::new(it.into()))),
            Self {
                remove_exception: Some(name),
                detector: None,
                ..
            } => Ok(Change::Remove(name)),
            _ => Err(Status::invalid_argument(
                "a change is one of: detector and mode; detector, threshold and value; add_exception; remove_exception",
            )),
        }
    }
}

impl From<Exception> for NewException {
    fn from(it: Exception) -> Self {
        Self {
            name: it.name,
            owner: it.owner,
            reason: it.reason,
            detectors: it.detectors,
            namespaces: it.namespaces,
            labels: it.labels.into_iter().collect(),
            targets: it.targets,
            until: it.until,
        }
    }
}
