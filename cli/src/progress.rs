//! How far long work has come, for whoever waits at a terminal.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::{Duration, Instant},
};

/// Work that is done by then needs no word.
const PATIENCE: Duration = Duration::from_secs(1);

/// A line on standard error that is written over and over; nothing when that is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    what: &'static str,
    done: u64,
    /// When to say so next.
    next: Instant,
    is_shown: bool,
    is_terminal: bool,
}

impl Progress {
    pub(crate) fn new(what: &'static str) -> Self {
        // Where the answer goes to the terminal too, it tells by itself how far it is.
        let is_terminal = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self {
            what,
            done: 0,
            next: clock() + PATIENCE,
            is_shown: false,
            is_terminal,
        }
    }

    pub(crate) fn add(&mut self, count: usize) {
        self.done += u64::try_from(count).unwrap_or(u64::MAX);
        let now = clock();
        if !self.is_terminal || now < self.next {
            return;
        }
        self.next = now + PATIENCE;
        self.is_shown = true;
        // Nobody is left to tell when stderr is closed too.
        write!(io::stderr(), "\r\x1b[K{} {}", self.done, self.what).ok();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_shown {
            write!(io::stderr(), "\r\x1b[K").ok();
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how long a person has waited")]
fn clock() -> Instant {
    Instant::now()
}
