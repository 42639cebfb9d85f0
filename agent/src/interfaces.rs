//! Watches links, host routes and neighbours of the current network namespace by netlink.

mod message;
mod reader;
mod selection;
mod socket;
mod table;

use std::{
    io::{self, PipeWriter},
    net::IpAddr,
    thread,
};

use prometheus_client::{metrics::counter::Counter, registry::Registry};
use tokio::sync::mpsc;

pub use selection::Selection;

use reader::Reader;

/// What happened to the selected interfaces, in order.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// An interface is to be watched; its addresses follow once some are known.
    Appeared { ifindex: u32, name: String },
    /// The same interface bears another name.
    Renamed { ifindex: u32, name: String },
    /// It is gone, no longer selected, or its index was taken over by another that appears next.
    Gone { ifindex: u32 },
    /// The addresses behind it, ascending: they replace those before.
    Addresses {
        ifindex: u32,
        addresses: Vec<IpAddr>,
    },
    /// A full dump was compared: every change up to it has been told.
    Synchronized,
}

/// Why interfaces cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum InterfacesError {
    /// The socket could not be made ready.
    #[error(
        "cannot {action} for watching interfaces: check that the kernel offers rtnetlink and that seccomp permits it"
    )]
    Open {
        action: &'static str,
        source: io::Error,
    },
    /// The socket failed later.
    #[error("cannot {action} while watching interfaces: restart the agent")]
    Read {
        action: &'static str,
        source: io::Error,
    },
    /// The reader's thread is gone without a word.
    #[error("the reader of interface changes has stopped: restart the agent and report its log")]
    Stopped,
}

/// What the reader could not keep up with.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Times the kernel dropped notifications (ENOBUFS), each followed by a full dump.
    pub(crate) overruns: Counter,
    /// Full dumps that were compared.
    pub(crate) dumps: Counter,
    /// Messages that could not be parsed.
    pub(crate) unparsed: Counter,
    /// Addresses beyond what an interface may have.
    pub(crate) addresses_dropped: Counter,
}

impl Metrics {
    /// Adds them to `registry`.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        registry.register(
            "netlink_overruns",
            "Times the kernel dropped notifications of links, routes or neighbours",
            metrics.overruns.clone(),
        );
        registry.register(
            "netlink_dumps",
            "Full dumps of links, routes and neighbours that were compared",
            metrics.dumps.clone(),
        );
        registry.register(
            "unparsed_netlink_messages",
            "Messages about links, routes and neighbours that could not be parsed",
            metrics.unparsed.clone(),
        );
        registry.register(
            "dropped_interface_addresses",
            "Addresses behind an interface beyond the 64 that are kept",
            metrics.addresses_dropped.clone(),
        );
        metrics
    }
}

/// The changes as they come. Dropping it ends the watch.
#[derive(Debug)]
pub struct Changes {
    receiver: mpsc::Receiver<Result<Change, InterfacesError>>,
    _stop: PipeWriter,
}

impl Changes {
    /// Waits for the next change. Cancel safe.
    ///
    /// # Errors
    /// When watching has ended; there is nothing more to come.
    pub async fn next(&mut self) -> Result<Change, InterfacesError> {
        self.receiver
            .recv()
            .await
            .unwrap_or(Err(InterfacesError::Stopped))
    }
}

/// Watches the network namespace of the calling thread, on a thread of its own.
///
/// At most `capacity` changes wait to be taken. When more come the reader waits, and what the socket's
/// buffer cannot hold meanwhile is found again by a full dump.
///
/// # Errors
/// When the socket cannot be made ready.
pub fn watch(
    selection: Selection,
    capacity: usize,
    metrics: Metrics,
) -> Result<Changes, InterfacesError> {
    let (changes, receiver) = mpsc::channel(capacity);
    let (stopped, stop) = io::pipe().map_err(|source| InterfacesError::Open {
        action: "make a pipe",
        source,
    })?;
    let socket = socket::open()?;
    let reader = Reader::new(socket, stopped, selection, metrics, changes);
    thread::Builder::new()
        .name("interfaces".into())
        .spawn(move || reader.run())
        .map_err(|source| InterfacesError::Open {
            action: "start a thread",
            source,
        })?;
    Ok(Changes {
        receiver,
        _stop: stop,
    })
}
