//! What a client is told when it cannot be served.

use std::time::Duration;

use api::retry;
use tonic::Status;

use crate::store::{StoreError, chain};

/// How long agents stay away while the disk is full, and while it is slow.
const FULL: Duration = Duration::from_secs(5);
const BUSY: Duration = Duration::from_secs(1);

/// The log failed. What may pass is unavailable, so that clients try again.
pub(crate) fn failed(error: &StoreError) -> Status {
    match error {
        StoreError::Full(_) => retry::after(FULL, chain(error)),
        StoreError::Busy => retry::after(BUSY, chain(error)),
        StoreError::Behind { .. } => Status::aborted(chain(error)),
        StoreError::Removed { .. } => Status::out_of_range(chain(error)),
        _ if error.may_pass() => Status::unavailable(chain(error)),
        _ => {
            tracing::error!(error = chain(error), "cannot read the log");
            Status::internal(chain(error))
        }
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;
    use crate::store::Cause;

    #[test]
    fn what_may_pass_is_unavailable_and_the_cause_is_told() {
        let cause = || Cause::from(rusqlite::Error::QueryReturnedNoRows);
        let removed = StoreError::Removed {
            after: 3,
            earliest: 9,
        };
        let behind = StoreError::Behind {
            after: 3,
            highest: 2,
        };
        for (error, code) in [
            (StoreError::Closed, Code::Unavailable),
            (StoreError::Write(cause()), Code::Unavailable),
            (StoreError::Full(cause()), Code::ResourceExhausted),
            (StoreError::Busy, Code::ResourceExhausted),
            (StoreError::Read(cause()), Code::Internal),
            (StoreError::Read(Cause::Cut), Code::Unavailable),
            (StoreError::Damaged(7), Code::Internal),
            (removed, Code::OutOfRange),
            (behind, Code::Aborted),
        ] {
            let status = failed(&error);
            assert_eq!(status.code(), code, "{error}");
            let delayed = retry::delay(&status).is_some();
            assert_eq!(delayed, code == Code::ResourceExhausted, "{error}");
        }
        let status = failed(&StoreError::Write(cause()));
        let cause = cause().to_string();
        assert!(status.message().ends_with(&cause), "{status}");
    }
}
