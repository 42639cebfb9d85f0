//! A daemon: how it is started, waited for, and ended.

use std::{env, os::unix::net::UnixStream, path::Path, process::Command, time::Duration};

use anyhow::{Result, anyhow, bail, ensure};

use crate::{deadline::wait_for, process::Process};

pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// Both daemons end well within it, when asked.
pub(super) const END_LIMIT: Duration = Duration::from_secs(10);

/// Keeps the settings of whoever runs the tests away from `command`.
pub(super) fn without_settings(command: &mut Command) {
    for (name, _) in env::vars_os() {
        if name.to_string_lossy().starts_with("PICKET_") {
            command.env_remove(name);
        }
    }
}

pub(super) fn answers(daemon: &mut Process, socket: &Path) -> Result<()> {
    wait_for(&format!("an answer on {}", socket.display()), LIMIT, || {
        if !daemon.is_running()? {
            let status = daemon.wait(END_LIMIT)?;
            bail!("it ended at once: {status}");
        }
        Ok(UnixStream::connect(socket).ok())
    })
    .map(drop)
    .map_err(|error| anyhow!("{error:#}{}", daemon.log()))
}

pub(super) fn stop(daemon: Option<Process>) -> Result<()> {
    let Some(mut daemon) = daemon else {
        return Ok(());
    };
    let status = daemon.terminate(END_LIMIT)?;
    ensure!(status.success(), "ended with {status}{}", daemon.log());
    Ok(())
}
