//! What is kept, and for how long: by age since the commit, and by bytes; what goes, goes in small steps.

use std::time::Duration;

use api::v1::Timestamp;

use super::{
    engine::{Changes, Engine, Head},
    entry::nanoseconds,
    error::Cause,
};

/// Rows removed by one transaction, at most: nobody waits long for it.
const STEP: usize = 1000;

/// How often agents of whom nothing is left are looked for.
const FORGET: Duration = Duration::from_secs(60);

/// How much is kept; without a limit, everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Retain {
    /// What was committed longer ago is removed.
    pub age: Option<Duration>,
    /// Of all events and gaps, encoded; the oldest are removed beyond that.
    pub bytes: Option<u64>,
}

/// Removes what is not to be kept.
#[derive(Debug)]
pub(super) struct Retention {
    retain: Retain,
    head: Head,
    /// All up to here is too old.
    too_old: u64,
    /// Not before the next look.
    gave_up: bool,
    forgot_at: i64,
}

/// What one step removed.
#[derive(Debug)]
pub(super) struct Removed {
    pub(super) events: u64,
    pub(super) bytes: u64,
    pub(super) head: Head,
}

impl Retention {
    pub(super) fn new(retain: Retain, head: Head) -> Self {
        Self {
            retain,
            head,
            too_old: 0,
            gave_up: false,
            forgot_at: 0,
        }
    }

    pub(super) fn set_head(&mut self, head: Head) {
        self.head = head;
    }

    /// Finds what has become too old.
    pub(super) async fn look(
        &mut self,
        engine: &mut impl Engine,
        now: Timestamp,
    ) -> Result<(), Cause> {
        self.gave_up = false;
        if let Some(age) = self.retain.age {
            let before = nanoseconds(now).saturating_sub(saturating(age));
            self.too_old = if self.head.committed_at < before {
                self.head.last
            } else {
                engine.committed_before(before).await?
            };
        }
        Ok(())
    }

    /// Whether there is something to remove.
    pub(super) fn is_due(&self) -> bool {
        let too_many = self.retain.bytes.is_some_and(|it| self.head.bytes > it);
        let too_old = self.too_old.min(self.head.last) > self.head.horizon;
        !self.gave_up && (too_old || (too_many && self.head.last > self.head.horizon))
    }

    pub(super) fn give_up(&mut self) {
        self.gave_up = true;
    }

    /// Removes the oldest of it.
    pub(super) async fn remove(
        &mut self,
        engine: &mut impl Engine,
        now: Timestamp,
    ) -> Result<Removed, Cause> {
        let mut head = engine.begin(&[], u64::MAX).await?.head;
        let sizes = engine.sizes(head.horizon, STEP).await?;
        let (mut events, mut bytes, mut through) = (0, 0, head.horizon);
        for (cursor, size) in sizes {
            let left = head.bytes.saturating_sub(bytes);
            let too_many = self.retain.bytes.is_some_and(|limit| left > limit);
            if cursor > self.too_old && !too_many {
                break;
            }
            (events, bytes, through) = (events + 1, bytes + size, cursor);
        }
        if events > 0 {
            engine.remove(through).await?;
        } else if self.too_old > head.horizon {
            // Another replica was here first, or cursors are missing.
            through = self.too_old.min(head.last);
        }
        let now = nanoseconds(now);
        if now.saturating_sub(self.forgot_at) >= saturating(FORGET) {
            self.forgot_at = now;
            engine.forget().await?;
        }
        head.horizon = through;
        head.bytes = head.bytes.saturating_sub(bytes);
        let changes = Changes {
            head,
            ..Default::default()
        };
        engine.commit(&changes).await?;
        // Nothing to remove although there is too much: the count is wrong, and must not be tried for ever.
        self.gave_up = events == 0;
        Ok(Removed {
            events,
            bytes,
            head,
        })
    }
}

fn saturating(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
