//! How fast events are sent, and how soon they are sent again: arithmetic, without a clock.

use std::time::Duration;

use serde::Deserialize;

/// Events that are sent at most.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rate {
    pub(super) per_second: f64,
    pub(super) burst: Option<u32>,
}

/// A token bucket: so many events a second, and so many at once.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    per_second: f64,
    burst: f64,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// A full one.
    pub(super) fn new(per_second: f64, burst: u32) -> Self {
        let burst = f64::from(burst);
        Self {
            per_second,
            burst,
            tokens: burst,
            at: Duration::ZERO,
        }
    }

    /// Takes a token for each event, and tells how long to wait before they are sent. `now` is since any moment,
    /// always the same.
    pub(super) fn take(&mut self, events: usize, now: Duration) -> Duration {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.at = self.at.max(now);
        self.tokens = (self.tokens + passed * self.per_second).min(self.burst);
        self.tokens -= events as f64;
        let missing = -self.tokens.min(0.0);
        Duration::try_from_secs_f64(missing / self.per_second).unwrap_or(Duration::MAX)
    }
}

/// Delays that double, each shortened at random by up to a half, so that many who failed together come back one by
/// one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    next: Duration,
    longest: Duration,
}

impl Backoff {
    pub(super) const fn new(first: Duration, longest: Duration) -> Self {
        Self {
            next: first,
            longest,
        }
    }

    /// The next one; `random` is from 0 to 1. What the destination asks for is heeded.
    pub(super) fn delay(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        let delay = self.next.min(self.longest);
        self.next = self.longest.min(delay * 2);
        let delay = delay.mul_f64(1.0 - random.clamp(0.0, 1.0) / 2.0);
        delay.max(asked.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_bucket_lets_a_burst_through_and_then_its_rate() {
        let mut bucket = Bucket::new(10.0, 3);
        for (now, events, wait) in [
            (0, 1, 0),
            (0, 2, 0),
            (0, 1, 100),
            (100, 1, 100),
            (200, 2, 200),
            (9_000, 3, 0),
            (9_000, 64, 6_400),
        ] {
            assert_eq!(bucket.take(events, ms(now)), ms(wait), "at {now}");
        }
    }

    #[test]
    fn delays_double_to_a_bound_and_are_never_shorter_than_asked() {
        let mut backoff = Backoff::new(ms(100), ms(350));
        for (asked, random, expected) in [
            (None, 0.0, 100),
            (None, 1.0, 100),
            (None, 0.0, 350),
            (None, 0.5, 263),
            (Some(ms(900)), 1.0, 900),
        ] {
            let delay = backoff.delay(asked, random);
            assert_eq!(delay.as_secs_f64().mul_add(1e3, 0.6) as u64, expected);
        }
    }
}
