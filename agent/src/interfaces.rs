//! Watches links, host routes and neighbours of the current network namespace by netlink.

mod change;
mod error;
mod fact;
mod inside;
mod message;
mod metrics;
mod reader;
mod schedule;
mod selection;
mod socket;
mod table;

use std::{
    io::{self, PipeWriter},
    thread,
};

use tokio::sync::mpsc;

pub use change::Change;
pub use error::InterfacesError;
pub use metrics::Metrics;
pub use selection::{CANARY, CANARY_SENDER, Selection, Uplinks};

use inside::Inside;
use reader::Reader;

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
    let inside = Inside::new(socket::open_to_ask()?);
    let reader = Reader::new(socket, inside, stopped, selection, metrics, changes);
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
