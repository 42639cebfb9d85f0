//! When the next agent is told what it should know: at most once a second.

use std::time::Duration;

use detect::Time;
use tokio::sync::watch;

use crate::identity::Remembered;

const EVERY: Duration = Duration::from_secs(1);

/// Where it goes.
#[derive(Debug)]
pub(super) struct Remembering {
    pub(super) to: Option<watch::Sender<Remembered>>,
    is_news: bool,
    told_at: Option<Time>,
}

impl Remembering {
    pub(super) const fn new(to: Option<watch::Sender<Remembered>>) -> Self {
        Self {
            to,
            is_news: false,
            told_at: None,
        }
    }

    /// Something is different.
    pub(super) const fn mark(&mut self) {
        self.is_news = true;
    }

    pub(super) fn is_due(&mut self, now: Time) -> bool {
        let is_due = self.is_news && self.told_at.is_none_or(|at| now.since(at) >= EVERY);
        if is_due {
            self.is_news = false;
            self.told_at = Some(now);
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changes_is_told_once_a_second_and_nothing_is_left_out() {
        let at = |millis: u64| Time::from_nanoseconds(millis * 1_000_000);
        let mut remembering = Remembering::new(None);
        assert!(!remembering.is_due(at(1000)), "nothing is new");
        remembering.mark();
        assert!(remembering.is_due(at(1000)));
        remembering.mark();
        assert!(!remembering.is_due(at(1900)));
        assert!(remembering.is_due(at(2000)));
        assert!(!remembering.is_due(at(9000)));
    }
}
