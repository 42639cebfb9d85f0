//! What a process said, line by line, and when it ended.

use std::{
    collections::VecDeque,
    io::{BufRead, BufReader, Read},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, SystemTime},
};

use crate::deadline::Deadline;

const KEPT_LINES: usize = 4096;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Stream {
    Out,
    Error,
}

#[derive(Debug, Default)]
pub(super) struct Output {
    lines: Mutex<VecDeque<(Stream, String)>>,
    ended_at: Mutex<Option<SystemTime>>,
    said: Condvar,
}

impl Output {
    pub(super) fn lines(&self) -> MutexGuard<'_, VecDeque<(Stream, String)>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ended_at(&self) -> MutexGuard<'_, Option<SystemTime>> {
        self.ended_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A line that `is_wanted`; else, when `wait`, one look more after the next line or a moment.
    pub(super) fn find(
        &self,
        is_wanted: impl Fn(&str) -> bool,
        deadline: Deadline,
        wait: bool,
    ) -> Option<String> {
        let matching = |lines: &VecDeque<(Stream, String)>| {
            let mut lines = lines.iter().map(|(_, line)| line);
            lines.find(|line| is_wanted(line)).cloned()
        };
        let lines = self.lines();
        let found = matching(&lines);
        if found.is_some() || !wait {
            return found;
        }
        let moment = deadline.left().min(Duration::from_millis(50));
        let lines = self.said.wait_timeout(lines, moment);
        matching(&lines.unwrap_or_else(PoisonError::into_inner).0)
    }

    pub(super) fn text(&self, stream: Stream) -> String {
        let lines = self.lines();
        let lines = lines.iter().filter(|(from, _)| *from == stream);
        lines.flat_map(|(_, line)| [line, "\n"]).collect()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of the end is what is measured"
)]
pub(super) fn collect(
    from: impl Read + Send + 'static,
    stream: Stream,
    output: Arc<Output>,
) -> JoinHandle<()> {
    thread::spawn(move || {
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let mut lines = output.lines();
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back((stream, String::from_utf8_lossy(&line).into_owned()));
            output.said.notify_all();
        }
        *output.ended_at() = Some(SystemTime::now());
    })
}
