//! The one clock of this room.

use std::time::SystemTime;

#[expect(
    clippy::disallowed_methods,
    reason = "signatures and alerts have a time"
)]
pub(super) fn now() -> SystemTime {
    SystemTime::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "the loop of an output owns its clock"
)]
pub(super) fn instant() -> tokio::time::Instant {
    tokio::time::Instant::now()
}
