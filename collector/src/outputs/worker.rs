//! Serves one output: a cursor into the log, which moves after the destination took what lies before it.

use std::{sync::Arc, time::Duration};

use api::v1;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    clock,
    destination::Destination,
    metrics::Series,
    output::Output,
    pace::{Backoff, Bucket},
    refusal::{Reason, Refusal},
};
use crate::{
    anomalies::Anomalies,
    store::{Entry, Held, PAGE_BYTES, StoreError},
    subscribe::{Log, Most},
};

/// Read at once.
const PAGE: Most = Most {
    entries: 64,
    bytes: PAGE_BYTES / 8,
};

/// How long a cursor that moved is not kept: what was taken meanwhile is sent again after a crash.
const KEEP_EVERY: Duration = Duration::from_secs(1);

/// The same, when nothing was sent on the way.
const KEEP_IDLE: Duration = Duration::from_secs(10);

/// Between a read of the log that failed and the next.
const REST: Duration = Duration::from_millis(200);

/// Between two lines of the log about events that are given up.
const QUIET: Duration = Duration::from_secs(60);

/// What an output is served with.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) log: Log,
    pub(super) anomalies: Anomalies,
    pub(super) held: Arc<Held>,
    /// Ends the work after what is being sent.
    pub(super) stop: CancellationToken,
}

/// One output at work.
pub(super) struct Worker<'a> {
    output: &'a Output,
    destination: &'a mut Destination,
    place: Place,
    series: Series,
    bucket: Option<Bucket>,
    started: Instant,
    /// All up to here was taken, or need not be.
    cursor: u64,
    /// The cursor as it is kept, and since when.
    kept: u64,
    kept_at: Instant,
    told_at: Option<Instant>,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        output: &'a Output,
        destination: &'a mut Destination,
        place: Place,
        series: Series,
    ) -> Self {
        let now = clock::instant();
        Self {
            bucket: output.rate.map(|(rate, burst)| Bucket::new(rate, burst)),
            output,
            destination,
            place,
            series,
            started: now,
            cursor: 0,
            kept: 0,
            kept_at: now,
            told_at: None,
        }
    }

    /// Works until it is told to stop, from no earlier cursor than this; returns up to where it came. An error says
    /// that another collector may serve the outputs now.
    pub(super) async fn run(mut self, reached: u64) -> (u64, Result<(), StoreError>) {
        self.cursor = reached;
        let result = self.work().await;
        (self.cursor, result)
    }

    async fn work(&mut self) -> Result<(), StoreError> {
        self.begin().await?;
        let mut end = self.place.log.end();
        let stop = self.place.stop.clone();
        while !stop.is_cancelled() {
            self.tell_lag();
            // 0 is the beginning of what is kept, so that nobody else would notice.
            if self.cursor == 0 && self.place.log.store.horizon() > 0 {
                self.skip().await?;
            }
            let read = self
                .place
                .log
                .advance(&self.output.filter, self.cursor, PAGE, &mut end);
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.destination.stale() => {
                    self.repeat().await;
                    continue;
                }
                read = read => read,
            };
            match read {
                Ok((entries, next)) => {
                    let entries: Vec<_> = entries
                        .iter()
                        .map(AsRef::as_ref)
                        .filter(|it| self.output.passes(it) && self.destination.takes(it))
                        .collect();
                    let all = self.deliver(&entries).await?;
                    if all {
                        self.cursor = next;
                    }
                    let every = if entries.is_empty() {
                        KEEP_IDLE
                    } else {
                        Duration::ZERO
                    };
                    self.keep(every).await?;
                }
                Err(_) if self.place.log.store.horizon() > self.cursor => self.skip().await?,
                Err(error) => {
                    tracing::warn!(output = self.output.name, %error, "cannot read the log for an output; trying again");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        self.keep(Duration::ZERO).await
    }

    /// Finds the cursor, or notes where a new output begins.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let name = &self.output.name;
        let reached = self.cursor;
        self.kept = match self.place.held.load(name).await? {
            Some(cursor) => cursor,
            None => {
                let last = *self.place.log.store.last().borrow();
                let first = if self.output.from_beginning {
                    self.place.log.store.horizon()
                } else {
                    last
                };
                self.place.held.keep(name, first).await?;
                first
            }
        };
        self.cursor = self.kept.max(reached);
        // What could not be kept before is sent no further until it is.
        self.keep(Duration::ZERO).await
    }

    /// What retention removed is told as a gap, and the cursor moves behind it.
    async fn skip(&mut self) -> Result<(), StoreError> {
        let horizon = self.place.log.store.horizon();
        let removed = horizon - self.cursor;
        self.series.removed.inc_by(removed);
        tracing::warn!(
            output = self.output.name,
            removed,
            "retention removed what an output had yet to send; keep more with --retain and --retain-bytes"
        );
        let gap = Entry::Gap(v1::Gap {
            events: removed,
            reason: format!(
                "the collector's retention removed all after cursor {} before output {} came to it; not all of it need have passed its filter",
                self.cursor, self.output.name
            ),
            cursor: horizon,
            ..v1::Gap::default()
        });
        if !self.destination.takes(&gap) || self.deliver(&[&gap]).await? {
            self.cursor = horizon;
        }
        self.keep(Duration::ZERO).await
    }

    /// Sends these in order; whether all were taken or given up, and not cut short by the end.
    async fn deliver(&mut self, entries: &[&Entry]) -> Result<bool, StoreError> {
        for batch in entries.chunks(self.destination.batch()) {
            if !self.send(batch).await {
                return Ok(false);
            }
            self.keep(KEEP_EVERY).await?;
        }
        Ok(true)
    }

    /// Sends a batch until it is taken or given up; false when it is told to stop before.
    async fn send(&mut self, batch: &[&Entry]) -> bool {
        if !self.may_send(batch.len()).await {
            return false;
        }
        let output = self.output;
        let mut backoff = Backoff::new(output.retry.first, output.retry.longest);
        let began = clock::instant();
        let mut failed = false;
        loop {
            let sent = timeout(output.timeout, self.destination.send(batch)).await;
            let sent = sent.unwrap_or_else(|_| {
                Err(Refusal::later(format!(
                    "no answer came within {:?}",
                    output.timeout
                )))
            });
            match sent {
                Ok(refused) => {
                    let refused = refused.min(batch.len() as u64);
                    self.series.took(batch.len() as u64 - refused, clock::now());
                    if refused > 0 {
                        self.give_up(
                            batch,
                            Reason::Refused,
                            refused,
                            "it refused some of a batch",
                        );
                    }
                    if failed {
                        tracing::info!(output = output.name, "an output is taken again");
                    }
                    break;
                }
                Err(Refusal::Never { reason, why }) if batch.len() == 1 => {
                    self.give_up(batch, reason, 1, &why);
                    break;
                }
                // One of them is at fault, which must not take the others with it.
                Err(Refusal::Never { .. }) => {
                    for entry in batch {
                        if !Box::pin(self.send(&[entry])).await {
                            return false;
                        }
                    }
                    break;
                }
                Err(Refusal::Later { why, after }) => {
                    self.series.retries.inc();
                    if output.retry.give_up.is_some_and(|it| began.elapsed() >= it) {
                        self.give_up(batch, Reason::GaveUp, batch.len() as u64, &why);
                        break;
                    }
                    let delay = backoff.delay(after, fastrand::f64());
                    if failed {
                        tracing::debug!(
                            output = output.name,
                            why,
                            ?delay,
                            "an output is not taken"
                        );
                    } else {
                        tracing::warn!(
                            output = output.name,
                            why,
                            ?delay,
                            "an output is not taken; sending again until it is"
                        );
                    }
                    failed = true;
                    self.tell_lag();
                    if !self.wait(delay).await {
                        return false;
                    }
                }
            }
        }
        self.cursor = batch
            .last()
            .map_or(self.cursor, |it| it.cursor().max(self.cursor));
        true
    }

    /// Waits for the rate.
    async fn may_send(&mut self, events: usize) -> bool {
        let Some(bucket) = &mut self.bucket else {
            return !self.place.stop.is_cancelled();
        };
        let wait = bucket.take(events, self.started.elapsed());
        self.wait(wait).await
    }

    async fn wait(&self, delay: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.place.stop.cancelled() => false,
            () = tokio::time::sleep(delay) => true,
        }
    }

    fn give_up(&mut self, batch: &[&Entry], reason: Reason, events: u64, why: &str) {
        self.series.dead(reason, events);
        if self.told_at.is_some_and(|it| it.elapsed() < QUIET) {
            return;
        }
        self.told_at = Some(clock::instant());
        let event = batch.first().map(|it| super::entry::id(it));
        tracing::warn!(
            output = self.output.name,
            event,
            reason = reason.name(),
            why,
            "an output gave up an event; others within a minute are counted only"
        );
    }

    async fn repeat(&mut self) {
        // What was sent already must not be said again as if it were still so.
        self.place.anomalies.reach(self.cursor).await;
        let output = self.output;
        let again = self
            .destination
            .repeat(&self.place.anomalies, |it| output.passes(it));
        let again = timeout(output.timeout, again).await;
        let why = match again {
            Ok(Ok(_)) => return,
            Ok(Err(Refusal::Later { why, .. } | Refusal::Never { why, .. })) => why,
            Err(_) => format!("no answer came within {:?}", output.timeout),
        };
        self.series.retries.inc();
        tracing::debug!(output = output.name, why, "cannot say again what is open");
    }

    /// Keeps the cursor, if it moved and was kept long ago.
    async fn keep(&mut self, every: Duration) -> Result<(), StoreError> {
        if self.cursor == self.kept || self.kept_at.elapsed() < every {
            return Ok(());
        }
        self.place.held.keep(&self.output.name, self.cursor).await?;
        (self.kept, self.kept_at) = (self.cursor, clock::instant());
        Ok(())
    }

    fn tell_lag(&self) {
        let last = *self.place.log.store.last().borrow();
        self.series.lag(last.saturating_sub(self.cursor));
    }
}
