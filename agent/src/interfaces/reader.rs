//! The loop that reads the socket, keeps the table and asks for dumps.

use std::{
    io::{self, PipeReader},
    time::{Duration, Instant, SystemTime},
};

use netlink_packet_core::{NLM_F_DUMP_INTR, NetlinkBuffer, NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::Socket;
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
    net::{RecvFlags, recv},
};
use tokio::sync::mpsc::Sender;
use tracing::{debug, warn};

use super::{
    change::Change,
    error::InterfacesError,
    fact::Source,
    message,
    metrics::Metrics,
    selection::Selection,
    socket::{self, Dump},
    table::Table,
};

/// Between full dumps when nothing calls for one earlier.
const RECONCILE: Duration = Duration::from_secs(30);
/// From the appearance of an interface to a dump: one that was there before it was selected has
/// routes and neighbours of which no notification comes.
const SETTLE: Duration = Duration::from_secs(1);
/// Dumps in a row that the kernel may call inconsistent before the next one waits a while.
const ATTEMPTS: u32 = 8;
/// No datagram is longer: the kernel fills at most 32 KiB of a dump at once.
const DATAGRAM_BYTES: usize = 64 << 10;

pub(super) struct Reader {
    socket: Socket,
    stopped: PipeReader,
    table: Table,
    metrics: Metrics,
    changes: Sender<Result<Change, InterfacesError>>,
    /// The dump that is under way.
    dump: Option<Dump>,
    /// The dump missed something: the kernel said so, or notifications were dropped.
    torn: bool,
    /// A dump was complete once.
    dumped: bool,
    attempts: u32,
    sequence: u32,
    /// When the next full dump begins.
    due: Instant,
}

/// Nobody listens any more.
struct Unheard;

impl Reader {
    pub(super) fn new(
        socket: Socket,
        stopped: PipeReader,
        selection: Selection,
        metrics: Metrics,
        changes: Sender<Result<Change, InterfacesError>>,
    ) -> Self {
        Self {
            socket,
            stopped,
            table: Table::new(selection),
            metrics,
            changes,
            dump: None,
            torn: false,
            dumped: false,
            attempts: 0,
            sequence: 0,
            due: now(),
        }
    }

    /// Reads until nobody listens or the socket fails.
    pub(super) fn run(mut self) {
        if let Err((action, source)) = self.read() {
            let failure = InterfacesError::Read { action, source };
            if self.changes.blocking_send(Err(failure)).is_err() {
                debug!("stopped watching interfaces");
            }
        }
    }

    fn read(&mut self) -> Result<(), (&'static str, io::Error)> {
        let mut datagram = vec![0; DATAGRAM_BYTES];
        loop {
            if self.dump.is_none() && now() >= self.due {
                self.begin().map_err(|error| ("ask for a dump", error))?;
            }
            if self
                .wait()
                .map_err(|error| ("wait for notifications", error))?
            {
                return Ok(());
            }
            loop {
                match recv(
                    &self.socket,
                    &mut datagram[..],
                    RecvFlags::DONTWAIT | RecvFlags::TRUNC,
                ) {
                    Ok((_, length)) if length > datagram.len() => self.overrun(),
                    Ok((_, length)) => {
                        if self.take(&datagram[..length]).is_err() {
                            return Ok(());
                        }
                    }
                    Err(Errno::AGAIN) => break,
                    Err(Errno::NOBUFS) => self.overrun(),
                    Err(Errno::INTR) => {}
                    Err(error) => return Err(("read notifications", error.into())),
                }
            }
        }
    }

    /// Waits for the socket or the next dump; true when the watch was dropped.
    fn wait(&self) -> io::Result<bool> {
        let mut sources = [
            PollFd::new(&self.socket, PollFlags::IN),
            PollFd::new(&self.stopped, PollFlags::IN),
        ];
        let timeout = self
            .due
            .saturating_duration_since(now())
            .max(Duration::from_millis(1));
        match poll(&mut sources, timeout.try_into().ok().as_ref()) {
            Ok(_) | Err(Errno::INTR) => Ok(!sources[1].revents().is_empty()),
            Err(error) => Err(error.into()),
        }
    }

    fn overrun(&mut self) {
        self.metrics.overruns.inc();
        self.torn = true;
        self.due = now();
    }

    fn begin(&mut self) -> io::Result<()> {
        self.torn = false;
        self.due = now() + RECONCILE;
        self.table.begin_dump();
        self.ask(Dump::Uplinks)
    }

    fn ask(&mut self, dump: Dump) -> io::Result<()> {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.dump = Some(dump);
        socket::request(&self.socket, dump, self.sequence)
    }

    /// Takes in the messages of one datagram and tells what follows.
    fn take(&mut self, datagram: &[u8]) -> Result<(), Unheard> {
        let mut changes = Vec::new();
        let mut rest = datagram;
        while let Ok(buffer) = NetlinkBuffer::new_checked(rest) {
            let length = buffer.length() as usize;
            self.take_message(&rest[..length], &mut changes);
            rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        }
        self.table.tell_addresses(&mut changes);
        self.metrics
            .addresses_dropped
            .inc_by(self.table.take_addresses_dropped());
        for change in changes {
            self.changes
                .blocking_send(Ok(change))
                .map_err(|_| Unheard)?;
        }
        Ok(())
    }

    fn take_message(&mut self, bytes: &[u8], changes: &mut Vec<Change>) {
        let Ok(message) = NetlinkMessage::<RouteNetlinkMessage>::deserialize(bytes) else {
            self.metrics.unparsed.inc();
            return;
        };
        let answers = self.dump.is_some() && message.header.sequence_number == self.sequence;
        self.torn |= answers && message.header.flags & NLM_F_DUMP_INTR != 0;
        match &message.payload {
            NetlinkPayload::InnerMessage(inner) => {
                let source = if answers {
                    Source::Dump
                } else {
                    Source::Notification
                };
                let Some(fact) = message::fact(&message.header, inner) else {
                    return;
                };
                let before = changes.len();
                if source == Source::Notification && self.table.asks_for_dump(&fact) {
                    self.due = self.due.min(now() + SETTLE);
                }
                let was_there = answers && !self.dumped;
                self.table.set_time((!was_there).then(wall));
                self.table.apply(fact, source, changes);
                let appeared = changes[before..]
                    .iter()
                    .any(|change| matches!(change, Change::Appeared { .. }));
                if appeared && source == Source::Notification {
                    self.due = self.due.min(now() + SETTLE);
                }
            }
            NetlinkPayload::Done(done) if answers => {
                self.torn |= done.code != 0;
                self.part_done(changes);
            }
            NetlinkPayload::Error(error) if answers => {
                warn!(error = %error.to_io(), "the kernel refused a dump");
                self.torn = true;
                self.part_done(changes);
            }
            _ => {}
        }
    }

    /// One of the dumps has ended.
    fn part_done(&mut self, changes: &mut Vec<Change>) {
        let next = self.dump.take().and_then(Dump::next);
        if self.torn {
            self.attempts += 1;
            self.due = if self.attempts.is_multiple_of(ATTEMPTS) {
                now() + SETTLE
            } else {
                now()
            };
        } else if let Some(next) = next {
            if let Err(error) = self.ask(next) {
                warn!(%error, "cannot ask for a dump");
                self.dump = None;
                self.due = now() + SETTLE;
            }
        } else {
            self.attempts = 0;
            self.dumped = true;
            self.metrics.dumps.inc();
            self.table.finish_dump(changes);
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this loop tells when an interface appeared"
)]
fn wall() -> SystemTime {
    SystemTime::now()
}

#[expect(
    clippy::disallowed_methods,
    reason = "this loop owns the clock of its dumps"
)]
fn now() -> Instant {
    Instant::now()
}
