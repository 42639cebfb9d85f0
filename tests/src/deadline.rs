//! Waiting for a condition, never for longer than said.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};

use crate::interrupt::interrupted;

const POLL: Duration = Duration::from_millis(5);

/// A point in time after which waiting is a failure.
#[derive(Clone, Copy, Debug)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline `limit` from now.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab's only clock for waiting"
    )]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left of it; zero when it has passed.
    #[must_use]
    #[expect(
        clippy::disallowed_methods,
        reason = "the lab's only clock for waiting"
    )]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }
}

/// Asks `condition` until it yields something.
///
/// # Errors
/// What `condition` fails with, or that `limit` passed without `what`, or that it was interrupted.
pub fn wait_for<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    let deadline = Deadline::after(limit);
    loop {
        if let Some(found) = condition()? {
            return Ok(found);
        }
        ensure!(!interrupted(), "interrupted while waiting for {what}");
        if deadline.left().is_zero() {
            bail!("waited {limit:?} in vain for {what}");
        }
        thread::sleep(POLL.min(deadline.left()));
    }
}
