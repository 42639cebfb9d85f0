//! The only writer: whatever is queued while one commit runs is the next one.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Instant, SystemTime},
};

use api::v1::{self, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::{
    bounds::Bounds,
    engine::{self, Engine, Head},
    entry::Append,
    error::{self, Cause, StoreError},
    metrics::Metrics,
    plan::{self, Plan},
    recall,
    retention::Retention,
};
use crate::correlate::Correlator;

/// Batches of one commit, at most.
const GROUP: usize = 256;

pub(super) type Reply = oneshot::Sender<Result<(), StoreError>>;

pub(super) type Raised = oneshot::Sender<Result<v1::Event, StoreError>>;

#[derive(Debug)]
pub(super) enum Command {
    /// The permit is for its bytes.
    Append(Append, OwnedSemaphorePermit, Reply),
    /// What a person has raised; it comes back as it is in the log.
    Raise(Box<v1::Event>, Raised),
    /// Writes nothing new, and tells whether that works.
    Try(Reply),
    /// Time has passed.
    Tick,
    Close,
}

/// The log, and what is correlated as it grows: both change together or not at all.
#[derive(Debug)]
pub(super) struct Writer<E> {
    pub(super) engine: E,
    pub(super) correlator: Correlator,
    pub(super) bounds: Bounds,
    /// Whether the last commit failed.
    pub(super) failing: Arc<AtomicBool>,
    pub(super) retention: Retention,
    pub(super) metrics: Metrics,
    /// All up to here was correlated; none when that has to begin anew.
    pub(super) seen: Option<u64>,
    /// Bytes written since the engine had its rest.
    pub(super) grown: usize,
}

/// What is committed together.
#[derive(Debug, Default)]
struct Group {
    appends: Vec<Append>,
    /// One for each of them.
    replies: Vec<Reply>,
    drafts: Vec<v1::Event>,
    /// One for each of them.
    raised: Vec<Raised>,
    tries: Vec<Reply>,
    permits: Vec<OwnedSemaphorePermit>,
    ticked: bool,
}

impl<E: Engine> Writer<E> {
    /// Commits groups of batches until told to close, and then what is still queued.
    #[expect(
        clippy::disallowed_methods,
        reason = "this loop owns the clock of its commits"
    )]
    pub(super) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        let mut received = Vec::with_capacity(GROUP);
        while commands.recv_many(&mut received, GROUP).await > 0 {
            let mut group = Group::default();
            for command in received.drain(..) {
                if matches!(command, Command::Close) {
                    commands.close();
                }
                group.add(command);
            }
            let now = Timestamp::from(SystemTime::now());
            let ticked = group.ticked;
            self.serve(group, now).await;
            if ticked {
                self.pass(now).await;
            }
            // At least one step, so that retention keeps up also when the queue is never empty.
            while self.retain(now).await && commands.is_empty() {}
            self.engine.rest(std::mem::take(&mut self.grown)).await;
        }
    }

    async fn serve(&mut self, group: Group, now: Timestamp) {
        let due = group.ticked && self.seen.is_some() && self.is_due(now);
        let asked = group.replies.len() + group.raised.len() + group.tries.len();
        if asked == 0 && !due {
            return;
        }
        let start = clock();
        let result = self.commit(&group.appends, &group.drafts, due, now).await;
        let took = start.elapsed();
        self.failing.store(result.is_err(), Ordering::Relaxed);
        match result {
            Ok(plan) => {
                self.metrics
                    .committed(&plan.counts, group.appends.len(), took);
                self.correlator.committed(plan.counts.raised);
                self.grown += plan.counts.bytes;
                for (reply, result) in group.replies.into_iter().zip(plan.results) {
                    // A stream that ended meanwhile does not wait for its answer.
                    drop(reply.send(result));
                }
                for (reply, event) in group.raised.into_iter().zip(plan.raised) {
                    drop(reply.send(Ok(event)));
                }
                for reply in group.tries {
                    drop(reply.send(Ok(())));
                }
            }
            Err(cause) => {
                self.metrics.failed(took);
                let error = StoreError::write(cause);
                tracing::error!(
                    error = error::chain(&error),
                    "a commit failed; its agents send again"
                );
                for reply in group.raised {
                    drop(reply.send(Err(error.clone())));
                }
                for reply in group.replies.into_iter().chain(group.tries) {
                    drop(reply.send(Err(error.clone())));
                }
            }
        }
    }

    async fn commit(
        &mut self,
        appends: &[Append],
        drafts: &[v1::Event],
        due: bool,
        now: Timestamp,
    ) -> Result<Plan, Cause> {
        let (engine, correlator) = (&mut self.engine, &mut self.correlator);
        if correlator.epoch() == 0 {
            let head = engine::reserve(engine, now).await?;
            correlator.reset(head.epoch, 0);
        }
        // Outside the transaction, which others may wait for.
        let seen = match self.seen {
            Some(seen) => seen,
            None => recall::recall(engine, correlator, now).await?,
        };
        self.seen = Some(seen);
        let sources = plan::sources(appends, correlator.epoch());
        let begun = engine.begin(&sources, seen).await?;
        // Until the commit the correlator may know of what the log does not hold.
        self.seen = None;
        let known = recall::replay(correlator, &begun.rows, now).unwrap_or(seen);
        if begun.rows.len() >= E::ROWS {
            recall::catch_up(engine, correlator, known, now).await?;
        }
        let held = sources.into_iter().zip(begun.held);
        let plan = plan::plan(begun.head, held, appends, drafts, due, correlator, now);
        engine.commit(&plan.changes).await?;
        self.head(plan.changes.head);
        self.seen = Some(plan.changes.head.last);
        Ok(plan)
    }

    fn is_due(&mut self, now: Timestamp) -> bool {
        self.correlator.expire(now.into());
        self.correlator.is_due(now.into())
    }

    /// What others wrote is taken in bit by bit, so that a commit need not; and what is too old is found.
    async fn pass(&mut self, now: Timestamp) {
        if let Some(seen) = self.seen
            && self.bounds.last() > seen
        {
            let caught = recall::catch_up(&mut self.engine, &mut self.correlator, seen, now).await;
            self.seen = caught.ok();
        }
        if let Err(error) = self.retention.look(&mut self.engine, now).await {
            tracing::warn!(%error, "cannot see which events are too old");
        }
    }

    /// Removes some of what is not to be kept; whether there is more.
    async fn retain(&mut self, now: Timestamp) -> bool {
        if !self.retention.is_due() {
            return false;
        }
        match self.retention.remove(&mut self.engine, now).await {
            Ok(removed) => {
                self.metrics.removed(removed.events, removed.bytes);
                self.head(removed.head);
                self.retention.is_due()
            }
            Err(error) => {
                // The next tick tries again.
                self.retention.give_up();
                tracing::warn!(%error, "cannot remove old events from the database");
                false
            }
        }
    }

    fn head(&mut self, head: Head) {
        self.bounds.advance(head.last, head.horizon);
        self.retention.set_head(head);
    }
}

#[expect(clippy::disallowed_methods, reason = "it times the commits")]
fn clock() -> Instant {
    Instant::now()
}

impl Group {
    fn add(&mut self, command: Command) {
        match command {
            Command::Append(append, permit, reply) => {
                self.appends.push(append);
                self.replies.push(reply);
                self.permits.push(permit);
            }
            Command::Raise(draft, reply) => {
                self.drafts.push(*draft);
                self.raised.push(reply);
            }
            Command::Try(reply) => self.tries.push(reply),
            Command::Tick => self.ticked = true,
            Command::Close => {}
        }
    }
}
