//! Keys that need not be read again.

use std::hash::{DefaultHasher, Hash, Hasher as _};

/// The same each time; of a thousand keys two are alike once in 10^13 times.
pub(super) fn hash(key: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
