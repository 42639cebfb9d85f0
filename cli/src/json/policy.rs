//! `picket.v1.PolicyStatus` as JSON.

use api::v1;
use serde::Serialize;

#[derive(Serialize)]
pub(crate) struct Policy<'a> {
    revision: &'a str,
    name: &'a str,
    error: &'a str,
    exceptions: Vec<ExceptionHits<'a>>,
}

#[derive(Serialize)]
struct ExceptionHits<'a> {
    name: &'a str,
    hits: u64,
}

impl<'a> Policy<'a> {
    pub(crate) fn new(policy: &'a v1::PolicyStatus) -> Self {
        let hits = policy.exceptions.iter();
        Self {
            revision: &policy.revision,
            name: &policy.name,
            error: &policy.error,
            exceptions: hits
                .map(|it| ExceptionHits {
                    name: &it.name,
                    hits: it.hits,
                })
                .collect(),
        }
    }
}
