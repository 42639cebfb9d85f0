//! The thread that owns the disk: whoever raises an event waits for nothing, whoever delivers asks it.

use std::{
    collections::VecDeque,
    io,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use api::v1;
use tokio::sync::{oneshot, watch};
use tracing::warn;

use super::{
    journal::Batch,
    keeper::{Keeper, lock},
    ledger::Position,
    memory::Memory,
};
use crate::{
    deliver::metrics::{Counts, Metrics},
    rights,
};

/// What the one who delivers asks for.
#[derive(Debug)]
pub(super) enum Call {
    Resume(Position, oneshot::Sender<()>),
    Acknowledge(Position),
    Batch(Position, oneshot::Sender<Batch>),
    Close,
}

/// What everybody may know.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in super::super) struct Told {
    /// Events and gaps that the collector does not hold.
    pub(in super::super) pending: u64,
    /// The epoch that is to be delivered first.
    pub(in super::super) oldest_epoch: Option<u64>,
    pub(in super::super) status: v1::Spool,
    /// Whether all is on the disk.
    pub(in super::super) is_flushed: bool,
    /// Goes up when it is worth asking for a batch again.
    pub(in super::super) revision: u64,
}

/// Where calls and events are put down for the thread.
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) memory: Mutex<Memory>,
    calls: Mutex<VecDeque<Call>>,
    bell: Condvar,
    pub(super) told: watch::Sender<Told>,
    /// The last event that is on the disk.
    pub(super) spooled: watch::Sender<u64>,
}

impl Desk {
    pub(super) fn new(memory: Memory) -> Self {
        Self {
            memory: Mutex::new(memory),
            calls: Mutex::default(),
            bell: Condvar::new(),
            told: watch::Sender::default(),
            spooled: watch::Sender::default(),
        }
    }

    pub(super) fn raise(&self, event: Arc<v1::Event>) {
        let mut memory = lock(&self.memory);
        memory.push(event);
        // Under the lock, so that who waits for zero is not told of one before.
        self.told.send_modify(|told| {
            told.pending = memory.pending();
            told.is_flushed = false;
        });
        drop(memory);
        // The thread looks at the memory with this lock held, so it cannot miss this.
        drop(self.calls());
        self.bell.notify_one();
    }

    /// There is one who delivers: it waits for what it asks for, and of acknowledgements the last counts.
    pub(super) fn call(&self, call: Call) {
        let mut calls = self.calls();
        if matches!(call, Call::Acknowledge(_))
            && matches!(calls.back(), Some(Call::Acknowledge(_)))
        {
            calls.pop_back();
        }
        calls.push_back(call);
        drop(calls);
        self.bell.notify_one();
    }

    fn calls(&self) -> MutexGuard<'_, VecDeque<Call>> {
        // Nothing panics while it holds the lock.
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All calls, once there is one, or an event if `for_events`, or `patience` is over.
    fn wait(&self, for_events: bool, patience: Duration) -> VecDeque<Call> {
        let calls = self.calls();
        let is_idle = |calls: &mut VecDeque<Call>| {
            calls.is_empty() && (!for_events || lock(&self.memory).is_empty())
        };
        let waited = self.bell.wait_timeout_while(calls, patience, is_idle);
        let (mut calls, _) = waited.unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut calls)
    }
}

/// The thread's own.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) desk: Arc<Desk>,
    pub(super) keeper: Keeper,
    pub(super) metrics: Metrics,
    /// How long a disk that failed is left alone; none when there is no disk.
    pub(super) retry: Option<Duration>,
}

/// Nothing wakes the thread as long as all is well.
const IDLE: Duration = Duration::from_secs(3600);

impl Worker {
    pub(super) fn start(self) -> io::Result<thread::JoinHandle<()>> {
        let name = "spool".to_owned();
        thread::Builder::new().name(name).spawn(|| {
            // It may be there before the others give up theirs.
            if let Err(error) = rights::give_up() {
                warn!(%error, "the thread of the spool keeps its rights");
            }
            self.run();
        })
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the loop that owns the clock of retries"
    )]
    fn run(mut self) {
        let mut tried = Instant::now();
        let mut is_unread = false;
        self.tell(false);
        loop {
            let is_well = self.keeper.trouble().is_none();
            let left = match self.retry {
                Some(retry) if !is_well || is_unread => retry.saturating_sub(tried.elapsed()),
                _ => IDLE,
            };
            let calls = self.desk.wait(is_well, left);
            for call in calls {
                match call {
                    Call::Resume(held, done) => {
                        self.keeper.resume(&self.desk.memory, held);
                        // Who asked may be gone.
                        done.send(()).unwrap_or_default();
                    }
                    Call::Acknowledge(held) => self.keeper.acknowledge(&self.desk.memory, held),
                    Call::Batch(after, reply) => {
                        let (batch, is_read) = self.keeper.batch(&self.desk.memory, after);
                        is_unread = !is_read;
                        if is_unread {
                            tried = Instant::now();
                        }
                        reply.send(batch).unwrap_or_default();
                    }
                    Call::Close => {
                        self.keeper.close(&self.desk.memory);
                        self.tell(false);
                        return;
                    }
                }
            }
            let is_due = self.retry.is_some_and(|retry| tried.elapsed() >= retry);
            let mut again = false;
            if is_well && !lock(&self.desk.memory).is_empty() || !is_well && is_due {
                tried = Instant::now();
                self.keeper.store(&self.desk.memory);
            }
            if is_unread && is_due {
                (is_unread, again) = (false, true);
            }
            self.tell(again);
        }
    }

    pub(super) fn tell(&self, again: bool) {
        let (keeper, journal) = (&self.keeper, self.keeper.journal());
        let status = keeper.status(&self.desk.memory);
        self.desk.spooled.send_if_modified(|spooled| {
            let is_news = *spooled != keeper.spooled();
            *spooled = keeper.spooled();
            is_news
        });
        let memory = lock(&self.desk.memory);
        let pending = memory.pending();
        let is_flushed = memory.is_empty() && keeper.trouble().is_none();
        self.desk.told.send_if_modified(|told| {
            let now = Told {
                pending,
                oldest_epoch: journal.oldest_epoch(),
                is_flushed,
                status: status.clone(),
                revision: told.revision + u64::from(again),
            };
            let is_news = *told != now;
            *told = now;
            is_news
        });
        drop(memory);
        let tally = keeper.tally();
        self.metrics.report(&Counts {
            pending,
            acknowledged: keeper.acknowledged(),
            dropped: tally.dropped,
            merged_updates: tally.merged_updates,
            missing: tally.missing,
            gaps: tally.gaps,
            dropped_gaps: tally.gaps_dropped,
            bytes: status.bytes,
            capacity_bytes: status.capacity_bytes,
            is_durable: keeper.trouble().is_none(),
            damaged: status.damaged_records,
            failures: keeper.failures(),
        });
    }
}
