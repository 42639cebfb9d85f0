//! The end of the log, read once for all subscribers who are near it.

use std::{
    collections::VecDeque,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use api::v1;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::metrics::Metrics;
use crate::store::{Entry, PAGE_BYTES, Query, Store, StoreError};

/// Entries of a read.
const PAGE: usize = 1024;

/// Bytes of encoded events that are kept: a subscriber who is further behind reads the log itself.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// What an entry takes besides the bytes of its event.
const OVERHEAD_BYTES: usize = 256;

/// Between a read of the log that failed and the next.
const REST: Duration = Duration::from_millis(200);

/// Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    ring: Arc<RwLock<Ring>>,
    /// The cursor up to which all was read.
    end: watch::Receiver<u64>,
}

/// All entries after `start` and up to `end`.
#[derive(Debug)]
struct Ring {
    start: u64,
    end: u64,
    entries: VecDeque<Kept>,
    bytes: usize,
}

#[derive(Debug)]
struct Kept {
    cursor: u64,
    bytes: usize,
    entry: Arc<Entry>,
}

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        Self {
            cursor: entry.cursor(),
            bytes: OVERHEAD_BYTES + entry.size(),
            entry: Arc::new(entry),
        }
    }
}

/// What lies behind a cursor.
#[derive(Debug)]
pub(super) enum Behind {
    /// These entries pass the filter, and all up to the cursor was looked at.
    Entries(VecDeque<Arc<Entry>>, u64),
    /// The ring no longer reaches that far back.
    Elsewhere,
}

impl Tail {
    /// Follows the log until the collector shuts down.
    pub(super) fn follow(store: Store, metrics: Metrics, shutdown: CancellationToken) -> Self {
        let last = store.last();
        let start = *last.borrow();
        let (sender, end) = watch::channel(start);
        let ring = Arc::new(RwLock::new(Ring {
            start,
            end: start,
            entries: VecDeque::new(),
            bytes: 0,
        }));
        let reader = Reader {
            store,
            metrics,
            ring: Arc::clone(&ring),
            end: sender,
        };
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = reader.run(last) => {}
            }
        });
        Self { ring, end }
    }

    /// The cursor up to which all was read, and a wake-up for each that follows.
    pub(super) fn end(&self) -> watch::Receiver<u64> {
        self.end.clone()
    }

    /// The next entries behind `cursor` that pass, `most` of them.
    pub(super) fn behind(
        &self,
        cursor: u64,
        most: usize,
        passes: impl Fn(&Entry) -> bool,
    ) -> Behind {
        let ring = self.ring.read().unwrap_or_else(PoisonError::into_inner);
        if cursor < ring.start {
            return Behind::Elsewhere;
        }
        let first = ring.entries.partition_point(|kept| kept.cursor <= cursor);
        let mut entries = VecDeque::new();
        for kept in ring.entries.range(first..) {
            if passes(&kept.entry) {
                entries.push_back(Arc::clone(&kept.entry));
                if entries.len() == most {
                    return Behind::Entries(entries, kept.cursor);
                }
            }
        }
        Behind::Entries(entries, ring.end.max(cursor))
    }
}

impl Ring {
    fn push(&mut self, kept: Kept) {
        self.bytes += kept.bytes;
        self.entries.push_back(kept);
        while self.bytes > KEPT_BYTES
            && let Some(oldest) = self.entries.pop_front()
        {
            self.bytes -= oldest.bytes;
            self.start = oldest.cursor;
        }
    }
}

struct Reader {
    store: Store,
    metrics: Metrics,
    ring: Arc<RwLock<Ring>>,
    end: watch::Sender<u64>,
}

impl Reader {
    async fn run(self, mut last: watch::Receiver<u64>) {
        loop {
            let end = *self.end.borrow();
            let Ok(committed) = last.wait_for(|last| *last > end).await.map(|last| *last) else {
                return;
            };
            match self.read(end, committed).await {
                Ok(()) => continue,
                Err(StoreError::Removed { earliest, .. }) => {
                    self.skip(earliest - 1);
                    continue;
                }
                Err(error) => self.failed(&error),
            }
            tokio::time::sleep(REST).await;
        }
    }

    /// What was removed before it was read begins at a later cursor.
    fn skip(&self, start: u64) {
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        *ring = Ring {
            start,
            end: start,
            entries: VecDeque::new(),
            bytes: 0,
        };
        self.end.send_replace(start);
    }

    fn failed(&self, error: &StoreError) {
        self.metrics.tail_failures.inc();
        tracing::warn!(%error, "cannot read the end of the log; trying again");
    }

    async fn read(&self, end: u64, committed: u64) -> Result<(), StoreError> {
        let page = self
            .store
            .page(Query {
                filter: Arc::new(v1::Filter::default()),
                after: end,
                limit: PAGE,
                bytes: PAGE_BYTES,
                gaps: true,
            })
            .await?;
        let reached = page.reached(committed);
        // Measured before all subscribers wait for the ring.
        let entries: Vec<_> = page.entries.into_iter().map(Kept::from).collect();
        let mut ring = self.ring.write().unwrap_or_else(PoisonError::into_inner);
        for entry in entries {
            ring.push(entry);
        }
        ring.end = reached;
        self.end.send_replace(ring.end);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(cursor: u64) -> Entry {
        Entry::Gap(v1::Gap {
            cursor,
            ..Default::default()
        })
    }

    fn kept(cursor: u64, bytes: usize) -> Kept {
        Kept {
            bytes,
            ..Kept::from(gap(cursor))
        }
    }

    fn tail(ring: Ring) -> Tail {
        let (_, end) = watch::channel(0);
        Tail {
            ring: Arc::new(RwLock::new(ring)),
            end,
        }
    }

    fn cursors(behind: Behind) -> Option<(Vec<u64>, u64)> {
        match behind {
            Behind::Entries(entries, reached) => {
                Some((entries.iter().map(|it| it.cursor()).collect(), reached))
            }
            Behind::Elsewhere => None,
        }
    }

    #[test]
    fn only_what_the_ring_still_holds_is_read_from_it() {
        let mut ring = Ring {
            start: 4,
            end: 10,
            entries: VecDeque::new(),
            bytes: 0,
        };
        for cursor in [5, 7, 8, 9] {
            ring.push(kept(cursor, 1));
        }
        let odd = |entry: &Entry| entry.cursor() % 2 == 1;
        let tail = tail(ring);
        for (after, most, expected) in [
            (3, 9, None),
            (4, 9, Some((vec![5, 7, 9], 10))),
            (4, 2, Some((vec![5, 7], 7))),
            (6, 9, Some((vec![7, 9], 10))),
            (9, 9, Some((vec![], 10))),
            (12, 9, Some((vec![], 12))),
        ] {
            assert_eq!(cursors(tail.behind(after, most, odd)), expected, "{after}");
        }
        assert_eq!(
            cursors(tail.behind(7, 9, |entry| entry.cursor() > 99)),
            Some((vec![], 10)),
            "what does not pass was looked at"
        );
    }

    #[test]
    fn the_ring_is_bounded_and_says_from_where_on_it_is_whole() {
        let mut ring = Ring {
            start: 0,
            end: 5,
            entries: VecDeque::new(),
            bytes: 0,
        };
        for cursor in 1..=5 {
            ring.push(kept(cursor, KEPT_BYTES / 2));
        }
        assert_eq!((ring.start, ring.entries.len()), (3, 2));
        assert!(ring.bytes <= KEPT_BYTES);
        let tail = tail(ring);
        assert!(cursors(tail.behind(2, 9, |_| true)).is_none());
        assert!(cursors(tail.behind(3, 9, |_| true)).is_some());
    }
}
