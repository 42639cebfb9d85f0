//! Keys that need not be read again.

use std::hash::{DefaultHasher, Hash, Hasher as _};

/// Always the same, or the order of things would differ from run to run; of a thousand keys two are alike once in 10^13 times.
pub(crate) fn hash(key: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    key.hash(&mut hasher);
    hasher.finish()
}
