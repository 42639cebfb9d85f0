//! A subscriber that keeps book: it resumes by cursor whatever dies, and notes what comes twice, or late.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Result, ensure};
use api::{
    transport::Remote,
    v1::{
        EventId, Gap, SubscribeRequest, events_client::EventsClient, subscribe_request::From,
        subscribe_response::Item,
    },
};
use tests::wait_for;
use tokio::{
    runtime::Builder,
    time::{sleep, timeout},
};

/// Between attempts to subscribe while the collector is away.
const REST: Duration = Duration::from_millis(20);

/// Longer than a heartbeat takes.
const SILENCE: Duration = Duration::from_secs(15);

/// What one epoch of one node has sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Account {
    /// Events.
    pub(crate) events: u64,
    /// Told to be missing.
    pub(crate) missing: u64,
    /// The highest sequence of an event, or covered by a gap.
    pub(crate) last: u64,
}

#[derive(Debug, Default)]
struct Book {
    cursor: u64,
    accounts: BTreeMap<(String, u64), Account>,
    gaps: Vec<Gap>,
    /// What must not happen, each once.
    faults: Vec<String>,
    resumed: u64,
}

/// The subscriber, until it is dropped.
#[derive(Debug)]
pub(crate) struct Ledger {
    book: Arc<Mutex<Book>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ledger {
    /// Subscribes from the beginning to the collector on this socket.
    pub(crate) fn open(socket: &Path) -> Result<Self> {
        let remote: Remote = format!("unix:{}", socket.display()).parse()?;
        let book = Arc::new(Mutex::new(Book::default()));
        let stop = Arc::new(AtomicBool::new(false));
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let keeping = (Arc::clone(&book), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let (book, stop) = keeping;
            runtime.block_on(keep(&remote, &book, &stop));
        });
        Ok(Self {
            book,
            stop,
            thread: Some(thread),
        })
    }

    /// Waits until all of these are accounted for: node, epoch, and the sequence up to which events are durable.
    pub(crate) fn settle(&self, durable: &[(String, u64, u64)], limit: Duration) -> Result<()> {
        wait_for("every durable event to arrive", limit, || {
            let book = self.lock();
            let arrived = durable.iter().all(|(node, epoch, sequence)| {
                let account = book.accounts.get(&(node.clone(), *epoch));
                account.map_or(0, |account| account.last) >= *sequence
            });
            Ok(arrived.then_some(()))
        })
    }

    /// Fails when anything came twice, out of order, or did not come though a later one did.
    pub(crate) fn check(&self) -> Result<()> {
        let book = self.lock();
        ensure!(book.faults.is_empty(), "{:#?}", book.faults);
        for ((node, epoch), account) in &book.accounts {
            ensure!(
                account.events + account.missing == account.last,
                "of the {} events of {node} in epoch {epoch} came {} and {} were told to be missing",
                account.last,
                account.events,
                account.missing
            );
        }
        Ok(())
    }

    /// Every event so far.
    pub(crate) fn events(&self) -> u64 {
        self.lock()
            .accounts
            .values()
            .map(|account| account.events)
            .sum()
    }

    /// Every gap so far.
    pub(crate) fn gaps(&self) -> Vec<Gap> {
        self.lock().gaps.clone()
    }

    /// How often it had to subscribe again.
    pub(crate) fn resumed(&self) -> u64 {
        self.lock().resumed
    }

    fn lock(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ledger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

async fn keep(remote: &Remote, book: &Mutex<Book>, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        // Whatever ends a subscription, the next one goes on from the cursor.
        follow(remote, book, stop).await.ok();
        sleep(REST).await;
    }
}

async fn follow(remote: &Remote, book: &Mutex<Book>, stop: &AtomicBool) -> Result<()> {
    let cursor = book.lock().unwrap_or_else(PoisonError::into_inner).cursor;
    let request = SubscribeRequest {
        filter: None,
        from: Some(From::AfterCursor(cursor)),
        log: 0,
    };
    let mut client = EventsClient::new(remote.connect().await?);
    let mut stream = client.subscribe(request).await?.into_inner();
    book.lock().unwrap_or_else(PoisonError::into_inner).resumed += 1;
    let mut silent = Duration::ZERO;
    loop {
        if stop.load(Ordering::Relaxed) || silent > SILENCE {
            return Ok(());
        }
        let Ok(response) = timeout(REST, stream.message()).await else {
            silent += REST;
            continue;
        };
        silent = Duration::ZERO;
        let Some(response) = response? else {
            return Ok(());
        };
        if let Some(item) = response.item {
            book.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .enter(item);
        }
    }
}

impl Book {
    fn enter(&mut self, item: Item) {
        match item {
            Item::Event(event) => {
                let id = event.id.unwrap_or_default();
                if id.node.starts_with('@') {
                    self.advance(event.cursor);
                    return;
                }
                let account = self.arrived(event.cursor, &id);
                account.events += 1;
                account.last = account.last.max(id.sequence);
            }
            Item::Gap(gap) => {
                let id = gap.id.clone().unwrap_or_default();
                let account = self.arrived(gap.cursor, &id);
                account.missing += gap.events + gap.merged_updates;
                account.last = account.last.max(gap.last_sequence);
                self.gaps.push(gap);
            }
            Item::Heartbeat(heartbeat) => self.cursor = self.cursor.max(heartbeat.cursor),
        }
    }

    fn advance(&mut self, cursor: u64) {
        if cursor <= self.cursor {
            self.faults
                .push(format!("cursor {cursor} came after {}", self.cursor));
        }
        self.cursor = cursor;
    }

    fn arrived(&mut self, cursor: u64, id: &EventId) -> &mut Account {
        self.advance(cursor);
        let later = self
            .accounts
            .range((id.node.clone(), id.epoch + 1)..)
            .next()
            .is_some_and(|((node, _), _)| *node == id.node);
        if later {
            self.faults
                .push(format!("{id:?} came after one of a later epoch"));
        }
        let account = self
            .accounts
            .entry((id.node.clone(), id.epoch))
            .or_default();
        // A gap reaches over events behind it that were not lost.
        if id.sequence <= account.last && account.missing == 0 {
            self.faults
                .push(format!("{id:?} came twice or late, after {}", account.last));
        }
        account
    }
}
