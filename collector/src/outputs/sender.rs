//! Sends a batch until it is taken or given up.

use std::time::Duration;

use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{
    clock,
    destination::Destination,
    entry::id,
    metrics::Series,
    output::Output,
    pace::{Backoff, Bucket},
    refusal::{Reason, Refusal},
};
use crate::store::Entry;

/// Between two lines of the log about events that are given up.
const QUIET: Duration = Duration::from_secs(60);

/// One output, and the pace at which it is sent.
pub(super) struct Sender<'a> {
    pub(super) output: &'a Output,
    pub(super) destination: &'a mut Destination,
    pub(super) series: Series,
    /// The last cursor of the log.
    last: watch::Receiver<u64>,
    stop: CancellationToken,
    bucket: Option<Bucket>,
    started: Instant,
    told_at: Option<Instant>,
}

impl<'a> Sender<'a> {
    pub(super) fn new(
        output: &'a Output,
        destination: &'a mut Destination,
        series: Series,
        last: watch::Receiver<u64>,
        stop: CancellationToken,
    ) -> Self {
        Self {
            bucket: output.rate.map(|(rate, burst)| Bucket::new(rate, burst)),
            output,
            destination,
            series,
            last,
            stop,
            started: clock::instant(),
            told_at: None,
        }
    }

    /// How much lies behind this cursor.
    pub(super) fn tell_lag(&self, cursor: u64) {
        self.series.lag(self.last.borrow().saturating_sub(cursor));
    }

    /// Sends a batch until it is taken or given up; false when it is told to stop before.
    pub(super) async fn send(&mut self, batch: &[&Entry]) -> bool {
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
                    let first = batch.first().map_or(0, |it| it.cursor());
                    self.tell_lag(first.saturating_sub(1));
                    if !self.wait(delay).await {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Waits for the rate.
    async fn may_send(&mut self, events: usize) -> bool {
        let Some(bucket) = &mut self.bucket else {
            return !self.stop.is_cancelled();
        };
        let wait = bucket.take(events, self.started.elapsed());
        self.wait(wait).await
    }

    async fn wait(&self, delay: Duration) -> bool {
        tokio::select! {
            biased;
            () = self.stop.cancelled() => false,
            () = tokio::time::sleep(delay) => true,
        }
    }

    fn give_up(&mut self, batch: &[&Entry], reason: Reason, events: u64, why: &str) {
        self.series.dead(reason, events);
        if self.told_at.is_some_and(|it| it.elapsed() < QUIET) {
            return;
        }
        self.told_at = Some(clock::instant());
        let event = batch.first().map(|it| id(it));
        tracing::warn!(
            output = self.output.name,
            event,
            reason = reason.name(),
            why,
            "an output gave up an event; others within a minute are counted only"
        );
    }
}
