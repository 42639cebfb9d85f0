//! The programs are attached the way this kernel has, or the agent says which way it lacks.

use std::{fs, time::Duration};

use anyhow::{Context, Result, ensure};
use tests::{Namespace, Process, binary, run, without_root};

const LIMIT: Duration = Duration::from_secs(60);

/// Whether this kernel has tcx, by another way than the agent's: its release as a file.
fn has_tcx() -> Result<bool> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split('.').map(|part| part.parse::<u32>().ok());
    let major = numbers.next().flatten().context("no major version")?;
    let minor = numbers.next().flatten().context("no minor version")?;
    Ok((major, minor) >= (6, 6))
}

fn arguments(directory: &tempfile::TempDir, mode: &str) -> [String; 8] {
    let socket = directory.path().join("agent.sock");
    [
        "--listen".to_owned(),
        format!("unix:{}", socket.display()),
        "--metrics".to_owned(),
        "127.0.0.1:0".to_owned(),
        "--attach".to_owned(),
        mode.to_owned(),
        "--pin".to_owned(),
        "none".to_owned(),
    ]
}

/// What the agent says when it watches, attaching by `mode`.
fn watching(mode: &str) -> Result<String> {
    let (network, directory) = (Namespace::new()?, tempfile::tempdir()?);
    network.ip("link add pod0 type veth peer name eth0")?;
    let mut command = network.command(binary("picket-agent")?);
    command.args(arguments(&directory, mode));
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    let line = agent.wait_for_line("watching this node's pods", LIMIT)?;
    ensure!(agent.terminate(LIMIT)?.success(), "{}", agent.log());
    Ok(line)
}

#[test]
fn the_best_way_of_this_kernel_is_taken() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (best, line) = (if has_tcx()? { "tcx" } else { "clsact" }, watching("auto")?);
    ensure!(line.contains(best), "no {best}: {line}");
    Ok(())
}

#[test]
fn clsact_is_taken_when_asked_for() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let line = watching("clsact")?;
    ensure!(line.contains("clsact"), "{line}");
    Ok(())
}

#[test]
fn tcx_is_taken_or_refused_by_name() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    if has_tcx()? {
        let line = watching("tcx")?;
        ensure!(line.contains("tcx"), "{line}");
        return Ok(());
    }
    let (network, directory) = (Namespace::new()?, tempfile::tempdir()?);
    let mut command = network.command(binary("picket-agent")?);
    command.args(arguments(&directory, "tcx"));
    let agent = run("picket-agent", &mut command, LIMIT)?;
    ensure!(agent.status.code() == Some(1), "{}", agent.status);
    for text in ["has no tcx", "Linux 6.6", "--attach clsact"] {
        ensure!(agent.stderr.contains(text), "no {text:?}: {}", agent.stderr);
    }
    Ok(())
}
