//! `picket.v1.Finding` as JSON.

use api::v1;
use serde::Serialize;

use crate::names;

#[derive(Serialize)]
pub(crate) struct Finding<'a> {
    check: &'a str,
    verdict: String,
    found: &'a str,
    remedy: &'a str,
}

impl<'a> Finding<'a> {
    pub(crate) fn new(finding: &'a v1::Finding) -> Self {
        Self {
            check: &finding.check,
            verdict: names::verdict(finding.verdict()),
            found: &finding.found,
            remedy: &finding.remedy,
        }
    }
}
