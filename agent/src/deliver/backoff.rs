//! How long to wait before the next attempt.

use std::{
    hash::{BuildHasher as _, RandomState},
    time::Duration,
};

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(5);

/// Exponential backoff with full jitter, so that a cluster of agents does not return as one
/// (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
#[derive(Debug, Default)]
pub(super) struct Backoff {
    failures: u32,
}

impl Backoff {
    pub(super) const fn reset(&mut self) {
        self.failures = 0;
    }

    pub(super) fn next(&mut self) -> Duration {
        let most = FIRST
            .saturating_mul(1_u32.checked_shl(self.failures).unwrap_or(u32::MAX))
            .min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        most.mul_f64(fraction())
    }
}

/// A random number from 0 to 1: the standard library seeds each of its hashers from the system.
fn fraction() -> f64 {
    let random = u32::try_from(RandomState::new().hash_one(()) >> 32).unwrap_or(u32::MAX);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_an_upper_bound_and_differ() {
        let mut waits = [[Duration::ZERO; 40]; 64];
        for run in &mut waits {
            let mut backoff = Backoff::default();
            run.fill_with(|| backoff.next());
        }
        let longest = |attempt: usize| waits.iter().map(|run| run[attempt]).max();
        assert!(longest(0) <= Some(FIRST));
        assert!(longest(1) > Some(FIRST), "64 draws up to twice as long");
        assert!(longest(39) <= Some(LONGEST));
        assert!(longest(39) > Some(LONGEST / 2));
    }
}
