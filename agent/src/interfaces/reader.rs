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
    fact::{Fact, Source},
    inside::Inside,
    message,
    metrics::Metrics,
    schedule::Schedule,
    selection::Selection,
    socket::{self, DATAGRAM_BYTES, Dump},
    table::Table,
};

/// Between full dumps when nothing calls for one earlier.
const RECONCILE: Duration = Duration::from_secs(30);
/// From the appearance of an interface to a dump: one that was there before it was selected has
/// routes and neighbours of which no notification comes.
const SETTLE: Duration = Duration::from_secs(1);
/// What waited longer to be read may have happened at any time before.
const LATE: Duration = Duration::from_millis(250);
/// Dumps in a row that the kernel may call inconsistent before the next one waits a while.
const ATTEMPTS: u32 = 8;

pub(super) struct Reader {
    socket: Socket,
    inside: Inside,
    stopped: PipeReader,
    table: Table,
    /// When to look inside.
    schedule: Schedule,
    metrics: Metrics,
    changes: Sender<Result<Change, InterfacesError>>,
    /// The dump that is under way.
    dump: Option<Dump>,
    /// The dump missed something: the kernel said so, or notifications were dropped.
    torn: bool,
    /// When the socket was empty last.
    empty_at: Instant,
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
        inside: Inside,
        stopped: PipeReader,
        selection: Selection,
        metrics: Metrics,
        changes: Sender<Result<Change, InterfacesError>>,
    ) -> Self {
        Self {
            socket,
            inside,
            stopped,
            table: Table::new(selection),
            schedule: Schedule::default(),
            metrics,
            changes,
            dump: None,
            torn: false,
            empty_at: now(),
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
            if self.look_inside().is_err() {
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
    fn wait(&mut self) -> io::Result<bool> {
        let mut sources = [
            PollFd::new(&self.socket, PollFlags::IN),
            PollFd::new(&self.stopped, PollFlags::IN),
        ];
        let next = self.schedule.next();
        let timeout = next
            .map_or(self.due, |next| next.min(self.due))
            .saturating_duration_since(now())
            .max(Duration::from_millis(1));
        let polled = poll(&mut sources, timeout.try_into().ok().as_ref());
        let is_over = !sources[1].revents().is_empty();
        // It came now, if anything did.
        self.empty_at = now();
        match polled {
            Ok(_) | Err(Errno::INTR) => Ok(is_over),
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
        self.tell(changes)
    }

    /// Reads the addresses in the pods' network namespaces that are due.
    fn look_inside(&mut self) -> Result<(), Unheard> {
        let mut changes = Vec::new();
        for ifindex in self.schedule.take(now()) {
            let Some(link) = self.table.unrouted(ifindex) else {
                continue;
            };
            match self.inside.addresses(link) {
                Ok(Some(addresses)) => {
                    let fact = Fact::Inside { ifindex, addresses };
                    self.table.apply(fact, Source::Dump, &mut changes);
                }
                Ok(None) => {}
                Err(error) => {
                    if self.metrics.unread.inc() == 0 {
                        let interface = &link.name;
                        warn!(interface, %error, "cannot read the addresses in a pod's network namespace");
                    }
                }
            }
        }
        self.tell(changes)
    }

    fn tell(&mut self, mut changes: Vec<Change>) -> Result<(), Unheard> {
        self.table.tell_addresses(&mut changes);
        self.metrics
            .addresses_dropped
            .inc_by(self.table.take_addresses_dropped());
        for change in changes {
            match &change {
                Change::Appeared { ifindex, .. } => self.schedule.appeared(*ifindex, now()),
                Change::Gone { ifindex } => self.schedule.gone(*ifindex),
                Change::Synchronized => self.schedule.again(self.table.indexes(), now()),
                Change::Renamed { .. } | Change::Addresses { .. } => {}
            }
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
                let waited = now().saturating_duration_since(self.empty_at);
                self.table.set_time(happened_at(source, waited, wall()));
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

/// When that happened which is told, if that is known: a dump shows what happened some time before.
fn happened_at(source: Source, waited: Duration, now: SystemTime) -> Option<SystemTime> {
    (source == Source::Notification && waited <= LATE).then_some(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_knows_when_that_happened_which_is_found_or_read_late() {
        let now = SystemTime::UNIX_EPOCH;
        for (source, waited, is_known) in [
            (Source::Notification, Duration::ZERO, true),
            (Source::Notification, LATE, true),
            (Source::Notification, LATE * 2, false),
            (Source::Dump, Duration::ZERO, false),
        ] {
            let told = happened_at(source, waited, now);
            assert_eq!(told.is_some(), is_known, "{source:?}, {waited:?}");
        }
    }
}
