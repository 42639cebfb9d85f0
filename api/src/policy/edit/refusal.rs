//! Why a policy is not changed.

/// Why a change cannot be made, for people.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{0}")]
pub struct NotEdited(pub(super) String);

pub(super) fn refuse<T>(reason: impl Into<String>) -> Result<T, NotEdited> {
    Err(NotEdited(reason.into()))
}
