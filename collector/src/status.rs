//! What a client is told when it cannot be served.

use std::{error::Error, iter};

use tonic::Status;

use crate::store::StoreError;

/// The log failed. What may pass is unavailable, so that clients try again.
pub(crate) fn failed(error: &StoreError) -> Status {
    match error {
        StoreError::Closed | StoreError::Write(_) => Status::unavailable(chain(error)),
        _ => {
            tracing::error!(error = chain(error), "cannot read the log");
            Status::internal(chain(error))
        }
    }
}

/// An error with its causes, in one line.
pub(crate) fn chain(error: &StoreError) -> String {
    let first: &dyn Error = error;
    let causes: Vec<_> = iter::successors(Some(first), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    causes.join(": ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tonic::Code;

    use super::*;

    #[test]
    fn what_may_pass_is_unavailable_and_the_cause_is_told() {
        let cause = || Arc::new(rusqlite::Error::QueryReturnedNoRows);
        for (error, code) in [
            (StoreError::Closed, Code::Unavailable),
            (StoreError::Write(cause()), Code::Unavailable),
            (StoreError::Read(cause()), Code::Internal),
            (StoreError::Damaged(7), Code::Internal),
        ] {
            assert_eq!(failed(&error).code(), code, "{error}");
        }
        let status = failed(&StoreError::Write(cause()));
        let cause = cause().to_string();
        assert!(status.message().ends_with(&cause), "{status}");
    }
}
