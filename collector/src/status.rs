//! What a client is told when it cannot be served.

use tonic::Status;

use crate::store::StoreError;

/// The log failed. What may pass is unavailable, so that clients try again.
pub(crate) fn failed(error: &StoreError) -> Status {
    match error {
        StoreError::Closed | StoreError::Write(_) => Status::unavailable(error.to_string()),
        _ => {
            tracing::error!(%error, "cannot read the log");
            Status::internal(error.to_string())
        }
    }
}
