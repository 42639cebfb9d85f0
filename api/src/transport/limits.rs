//! What a server lets its peers take of it.

use std::time::{Duration, Instant};

/// The longest request that a server takes, in bytes. A batch must be cut before it.
pub const LARGEST_REQUEST: usize = 4 << 20;
/// Requests that one connection may have open at once; what is asked beyond waits for one to end, so it is
/// more than all seats for subscribers, whose own bound says what is wrong.
pub const CONCURRENT_REQUESTS: u32 = 512;
/// The headers of one request, in bytes; a token takes a tenth of it.
pub const LARGEST_HEADERS: u32 = 16 << 10;

/// What a server lets its peers take of it.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Connections at once; Kubernetes supports 5,000 nodes.
    pub connections: usize,
    /// Of those from one address, or from one /64 of IPv6. Behind a translating router it is all of them.
    pub per_address: usize,
    /// How fast new ones may come from one address.
    pub arrivals: Rate,
    /// How fast requests may come over one connection.
    pub requests: Rate,
    /// Handshakes at once.
    pub handshakes: usize,
    /// How long one may take.
    pub handshake: Duration,
    /// How long one may take when others wait for its place.
    pub stalled: Duration,
    /// How long a connection may be there without a request.
    pub silence: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 8192,
            per_address: 2560,
            arrivals: Rate {
                burst: 2560,
                per_second: 256,
            },
            requests: Rate {
                burst: 1024,
                per_second: 512,
            },
            handshakes: 256,
            handshake: Duration::from_secs(10),
            stalled: Duration::from_secs(2),
            silence: Duration::from_secs(30),
        }
    }
}

/// So many at once, and so many a second for ever.
#[derive(Clone, Copy, Debug)]
pub struct Rate {
    /// At once.
    pub burst: u32,
    /// And then each second.
    pub per_second: u32,
}

/// A token bucket.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bucket {
    tokens: f64,
    at: Instant,
}

impl Bucket {
    pub(super) fn full(rate: Rate, now: Instant) -> Self {
        Self {
            tokens: rate.burst.into(),
            at: now,
        }
    }

    /// Takes one; how long to wait for it when there is none.
    pub(super) fn take(&mut self, rate: Rate, now: Instant) -> Result<(), Duration> {
        let per_second = f64::from(rate.per_second);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * per_second;
        self.tokens = (self.tokens + gained).min(rate.burst.into());
        self.at = now;
        if self.tokens < 1.0 {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / per_second));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::disallowed_methods, reason = "any time to begin with")]
    fn a_bucket_gives_its_burst_and_then_its_rate() {
        let rate = Rate {
            burst: 3,
            per_second: 2,
        };
        let start = Instant::now();
        let mut bucket = Bucket::full(rate, start);
        for _ in 0..3 {
            bucket.take(rate, start).unwrap();
        }
        assert_eq!(bucket.take(rate, start), Err(Duration::from_millis(500)));
        let later = start + Duration::from_millis(500);
        bucket.take(rate, later).unwrap();
        assert!(bucket.take(rate, later).is_err());
        let long_after = start + Duration::from_secs(3600);
        let taken = (0..10).filter(|_| bucket.take(rate, long_after).is_ok());
        assert_eq!(taken.count(), 3, "it holds no more than its burst");
    }
}
