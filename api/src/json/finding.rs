//! `picket.v1.Finding` as JSON.

use serde::Serialize;

use crate::{names, v1};

/// What was found of a node.
#[derive(Debug, Serialize)]
pub struct Finding<'a> {
    check: &'a str,
    verdict: String,
    found: &'a str,
    remedy: &'a str,
}

impl<'a> Finding<'a> {
    /// The form of a message.
    #[must_use]
    pub fn new(finding: &'a v1::Finding) -> Self {
        Self {
            check: &finding.check,
            verdict: names::verdict(finding.verdict()),
            found: &finding.found,
            remedy: &finding.remedy,
        }
    }
}
