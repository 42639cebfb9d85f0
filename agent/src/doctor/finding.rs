//! How findings are made.

use api::v1::{Finding, Verdict};

/// All is well.
pub(super) fn ok(check: &str, found: impl Into<String>) -> Finding {
    finding(check, Verdict::Ok, found, "")
}

/// It cannot be told whether all is well; `remedy` is how it could be.
pub(super) fn unknown(check: &str, found: impl Into<String>, remedy: &str) -> Finding {
    finding(check, Verdict::Unspecified, found, remedy)
}

/// It works, worse than it could.
pub(super) fn warning(check: &str, found: impl Into<String>, remedy: &str) -> Finding {
    finding(check, Verdict::Warning, found, remedy)
}

/// It does not work.
pub(super) fn failed(check: &str, found: impl Into<String>, remedy: &str) -> Finding {
    finding(check, Verdict::Failed, found, remedy)
}

fn finding(check: &str, verdict: Verdict, found: impl Into<String>, remedy: &str) -> Finding {
    Finding {
        check: check.into(),
        verdict: verdict.into(),
        found: found.into(),
        remedy: remedy.into(),
    }
}
