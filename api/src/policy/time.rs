//! Whether somebody writes a document now, or wrote it before.

use std::time::SystemTime;

/// When a document is read.
#[derive(Clone, Copy, Debug)]
pub enum Time {
    /// It was in force before; an exception may have ended meanwhile.
    Before,
    /// Somebody wrote it just now: an exception that has ended already is a mistake.
    New {
        /// The time.
        now: SystemTime,
    },
}
