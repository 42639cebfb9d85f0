//! Standard output, whose reader may leave at any time.

use std::{
    future,
    io::{self, BufWriter, Stdout, Write},
    os::fd::AsFd as _,
};

use tokio::{io::Interest, net::unix::pipe::Sender};

use crate::palette::harmless;

/// Buffered lines.
#[derive(Debug)]
pub(crate) struct Output {
    writer: BufWriter<Stdout>,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self {
            writer: BufWriter::new(io::stdout()),
        }
    }

    pub(crate) fn line(&mut self, line: &str) -> io::Result<()> {
        self.writer.write_all(line.as_bytes())?;
        self.writer.write_all(b"\n")
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// Waits until the reader of a pipe has left: `picket events --follow | head -1` would otherwise stay
/// until the next event. Files have no reader, and wait for ever.
pub(crate) async fn reader_left() {
    let watched = async {
        // A descriptor of its own, for dropping it closes it; unchecked, for the other way makes the
        // pipe non-blocking, also for whoever shares it.
        let stdout = io::stdout().as_fd().try_clone_to_owned()?;
        let pipe = Sender::from_owned_fd_unchecked(stdout)?;
        pipe.ready(Interest::ERROR).await
    };
    if watched.await.is_err() {
        future::pending::<()>().await;
    }
}

/// Tells the user something that is not part of the answer.
pub(crate) fn note(text: &str) {
    // Nobody is left to tell when stderr is closed too.
    writeln!(io::stderr(), "picket: {}", harmless(text)).ok();
}
