//! Ends in good order on Ctrl-C or SIGTERM.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use anyhow::{Context, Result};
use tokio::{
    runtime::Builder,
    signal::unix::{SignalKind, signal},
};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// Makes every wait of the lab fail once this process is asked to end, so that its guards clean up.
///
/// # Errors
/// When the signals cannot be listened to.
pub fn fail_waits_on_signals() -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let inside = runtime.enter();
    let why = "cannot listen to signals";
    let mut interrupt = signal(SignalKind::interrupt()).context(why)?;
    let mut terminate = signal(SignalKind::terminate()).context(why)?;
    drop(inside);
    thread::spawn(move || {
        runtime.block_on(async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        });
        INTERRUPTED.store(true, Ordering::Relaxed);
    });
    Ok(())
}

/// Whether this process was asked to end.
#[must_use]
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::Relaxed)
}
