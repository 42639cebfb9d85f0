//! Why a capture is not replayed.

use std::{io, path::PathBuf};

use crate::datapath::{DatapathError, InjectError};

/// Why a capture is not replayed, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// It cannot be opened.
    #[error("cannot open {}: check the path and the permissions of the file", file.display())]
    Open {
        /// Which one.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is a directory or a pipe.
    #[error("cannot replay {}: it is no regular file, and it is read twice; save it as one", file.display())]
    NoFile {
        /// Which one.
        file: PathBuf,
    },
    /// It is something else.
    #[error(
        "cannot replay {}: it begins like neither pcap nor pcapng; decompress it, or capture with \
         `tcpdump -w`",
        file.display()
    )]
    NoCapture {
        /// Which one.
        file: PathBuf,
    },
    /// Its packets begin in a way that is not known.
    #[error(
        "cannot replay {}: its link type {number} is none of Ethernet, raw IP, loopback and Linux \
         cooked; capture at an interface that has one of those",
        file.display()
    )]
    Link {
        /// Which one.
        file: PathBuf,
        /// As <https://www.tcpdump.org/linktypes.html> numbers them.
        number: i32,
    },
    /// The disk or the network behind it failed.
    #[error("cannot read on in {}: the system failed; its log (dmesg) may say why", file.display())]
    Broken {
        /// Which one.
        file: PathBuf,
    },
    /// The programs cannot be loaded.
    #[error(transparent)]
    Datapath(#[from] DatapathError),
    /// The kernel runs no packet.
    #[error(transparent)]
    Inject(#[from] InjectError),
    /// Whoever reads the events cannot be written to.
    #[error("cannot write an event: check where standard output goes")]
    Output(#[source] io::Error),
    /// The events are not for people.
    #[error("standard output is a terminal, and events are written as bytes: run `picket replay {}`", file.display())]
    Terminal {
        /// What was to be replayed.
        file: PathBuf,
    },
    /// No runtime, which the ring buffer needs.
    #[error("cannot replay: raise the limit of open files (ulimit -n)")]
    Runtime(#[source] io::Error),
}

impl ReplayError {
    /// Nobody reads any more, so nothing is missed.
    #[must_use]
    pub fn reader_left(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}
