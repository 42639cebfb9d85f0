//! Serves one output: a cursor into the log, which moves after the destination took what lies before it.

use std::{sync::Arc, time::Duration};

use api::{correlations::COLLECTOR, v1};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{
    clock, destination::Destination, metrics::Series, output::Output, refusal::Refusal,
    sender::Sender,
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
    sender: Sender<'a>,
    place: Place,
    /// All up to here was taken, or need not be.
    cursor: u64,
    /// The cursor as it is kept, and since when.
    kept: u64,
    kept_at: Instant,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        output: &'a Output,
        destination: &'a mut Destination,
        place: Place,
        series: Series,
    ) -> Self {
        Self {
            sender: Sender::new(
                output,
                destination,
                series,
                place.log.store.last(),
                place.stop.clone(),
            ),
            place,
            cursor: 0,
            kept: 0,
            kept_at: clock::instant(),
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
            self.sender.tell_lag(self.cursor);
            // 0 is the beginning of what is kept, so that nobody else would notice.
            if self.cursor == 0 && self.place.log.store.horizon() > 0 {
                self.skip().await?;
            }
            let read =
                self.place
                    .log
                    .advance(&self.sender.output.filter, self.cursor, PAGE, &mut end);
            let read = tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = self.sender.destination.stale() => {
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
                        .filter(|it| {
                            self.sender.output.passes(it) && self.sender.destination.takes(it)
                        })
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
                    tracing::warn!(output = self.sender.output.name, %error, "cannot read the log for an output; trying again");
                    tokio::time::sleep(REST).await;
                }
            }
        }
        self.keep(Duration::ZERO).await
    }

    /// Finds the cursor, or notes where a new output begins.
    async fn begin(&mut self) -> Result<(), StoreError> {
        let name = &self.sender.output.name;
        let reached = self.cursor;
        self.kept = match self.place.held.load(name).await? {
            Some(cursor) => cursor,
            None => {
                let last = *self.place.log.store.last().borrow();
                let first = if self.sender.output.from_beginning {
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
        self.sender.series.removed.inc_by(removed);
        tracing::warn!(
            output = self.sender.output.name,
            removed,
            "retention removed what an output had yet to send; keep more with --retain and --retain-bytes"
        );
        let gap = Entry::Gap(v1::Gap {
            events: removed,
            reason: format!(
                "the collector's retention removed all after cursor {} before output {} came to it; not all of it need have passed its filter",
                self.cursor, self.sender.output.name
            ),
            node: COLLECTOR.into(),
            cursor: horizon,
            id: Some(v1::EventId {
                node: COLLECTOR.into(),
                epoch: self.place.log.store.id(),
                sequence: horizon,
            }),
            last_sequence: horizon,
            ..v1::Gap::default()
        });
        if !self.sender.destination.takes(&gap) || self.deliver(&[&gap]).await? {
            self.cursor = horizon;
        }
        self.keep(Duration::ZERO).await
    }

    /// Sends these in order; whether all were taken or given up, and not cut short by the end.
    async fn deliver(&mut self, entries: &[&Entry]) -> Result<bool, StoreError> {
        for batch in entries.chunks(self.sender.destination.batch()) {
            if !self.sender.send(batch).await {
                return Ok(false);
            }
            let last = batch.last().map_or(self.cursor, |it| it.cursor());
            self.cursor = self.cursor.max(last);
            self.sender.tell_lag(self.cursor);
            self.keep(KEEP_EVERY).await?;
        }
        Ok(true)
    }

    async fn repeat(&mut self) {
        // What was sent already must not be said again as if it were still so.
        self.place.anomalies.reach(self.cursor).await;
        let output = self.sender.output;
        let again = self
            .sender
            .destination
            .repeat(&self.place.anomalies, |it| output.passes(it));
        let again = timeout(output.timeout, again).await;
        let why = match again {
            Ok(Ok(_)) => return,
            Ok(Err(Refusal::Later { why, .. } | Refusal::Never { why, .. })) => why,
            Err(_) => format!("no answer came within {:?}", output.timeout),
        };
        self.sender.series.retries.inc();
        tracing::debug!(output = output.name, why, "cannot say again what is open");
    }

    /// Keeps the cursor, if it moved and was kept long ago.
    async fn keep(&mut self, every: Duration) -> Result<(), StoreError> {
        if self.cursor == self.kept || self.kept_at.elapsed() < every {
            return Ok(());
        }
        self.place
            .held
            .keep(&self.sender.output.name, self.cursor)
            .await?;
        (self.kept, self.kept_at) = (self.cursor, clock::instant());
        Ok(())
    }
}
