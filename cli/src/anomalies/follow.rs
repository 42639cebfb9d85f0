//! Prints anomalies as something new is told of them, and waits for a server that went away.

use std::{collections::BTreeMap, time::Duration};

use api::v1::{Anomaly, Timestamp};
use tokio::time::sleep;

use super::{
    pages::{Wanted, most_urgent},
    text,
};
use crate::{
    form::{AnswerError, Form},
    json,
    output::{Output, note},
    palette::Palette,
    server::{Server, ServerError},
};

const ASK_EVERY: Duration = Duration::from_secs(1);

/// Looked at: of those that are wanted, so many of the most urgent.
const LOOKED_AT: u32 = 1000;

/// What is new of one shows in these: when it was told of last, its state, and what people made of it.
type Mark = (Option<(i64, i32)>, i32, i32, u32);

#[derive(Debug)]
pub(super) struct Follow<'a> {
    server: &'a Server,
    wanted: Wanted,
    form: Form,
    /// Of the past; none is printed without.
    last: Option<u32>,
    output: &'a mut Output,
    seen: BTreeMap<String, Mark>,
    /// Up to where the log was looked at.
    cursor: u64,
}

impl<'a> Follow<'a> {
    pub(super) fn new(
        server: &'a Server,
        wanted: Wanted,
        form: Form,
        last: Option<u32>,
        output: &'a mut Output,
    ) -> Self {
        Self {
            server,
            wanted,
            form,
            last,
            output,
            seen: BTreeMap::new(),
            cursor: 0,
        }
    }

    /// Never returns well. That the server is away at the start is an error, later on it is waited for.
    pub(super) async fn run(&mut self) -> Result<(), AnswerError> {
        let asked_since = self.wanted.filter.since.is_some();
        let shown = match (self.last, asked_since) {
            (Some(count), _) => usize::try_from(count).unwrap_or(usize::MAX),
            (None, true) => usize::MAX,
            (None, false) => 0,
        };
        let past = self.look().await?;
        self.print(past.as_deref().unwrap_or_default(), shown)?;
        let mut is_away = false;
        loop {
            sleep(ASK_EVERY).await;
            match self.look().await {
                Ok(changed) => {
                    if is_away {
                        note("the server is back");
                    }
                    is_away = false;
                    self.print(changed.as_deref().unwrap_or_default(), usize::MAX)?;
                }
                Err(error) if error.may_pass() => {
                    if !is_away {
                        note(&format!("{error}; trying again until it is back"));
                    }
                    is_away = true;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Those that something new is told of, the oldest first; none when the log did not grow.
    async fn look(&mut self) -> Result<Option<Vec<Anomaly>>, ServerError> {
        let peek = most_urgent(self.server, &self.wanted.anything(), 1).await?;
        if peek.cursor == self.cursor && !self.seen.is_empty() {
            return Ok(None);
        }
        let mut listed = most_urgent(self.server, &self.wanted, LOOKED_AT).await?;
        self.cursor = listed.cursor;
        let marks = listed.anomalies.iter().map(|it| (it.id.clone(), mark(it)));
        let seen = std::mem::replace(&mut self.seen, marks.collect());
        listed
            .anomalies
            .retain(|it| seen.get(&it.id) != Some(&mark(it)));
        listed.anomalies.sort_by_key(|it| mark(it).0);
        Ok(Some(listed.anomalies))
    }

    /// The last so many of them.
    fn print(&mut self, changed: &[Anomaly], count: usize) -> Result<(), AnswerError> {
        for anomaly in &changed[changed.len().saturating_sub(count)..] {
            let line = match self.form.is_for_people() {
                true => text::line(anomaly, self.form, Palette::of_stdout()),
                false => self.form.object(&json::anomaly(anomaly))?,
            };
            self.output.line(&line)?;
        }
        Ok(self.output.flush()?)
    }
}

fn mark(anomaly: &Anomaly) -> Mark {
    let at = anomaly
        .updated_at
        .map(|Timestamp { seconds, nanos }| (seconds, nanos));
    (at, anomaly.state, anomaly.triage, anomaly.notes)
}
