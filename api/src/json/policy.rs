//! `picket.v1.PolicyStatus` as JSON.

use serde::Serialize;

use crate::v1;

/// Which policy is in force.
#[derive(Debug, Serialize)]
pub struct Policy<'a> {
    revision: &'a str,
    name: &'a str,
    error: &'a str,
    exceptions: Vec<ExceptionHits<'a>>,
}

#[derive(Debug, Serialize)]
struct ExceptionHits<'a> {
    name: &'a str,
    hits: u64,
}

impl<'a> Policy<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(policy: &'a v1::PolicyStatus) -> Self {
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
