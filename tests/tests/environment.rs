//! What the agent needs of the machine: it goes on without what it can do without, and names the rest.

use std::{env, fs, path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};
use tests::{Namespace, Process, binary, guarded, run, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const WATCHING: &str = "watching this node's pods";

fn arguments(directory: &Path) -> [String; 4] {
    let socket = format!("unix:{}", directory.join("agent.sock").display());
    [
        "--listen".to_owned(),
        socket,
        "--metrics".to_owned(),
        "127.0.0.1:0".to_owned(),
    ]
}

/// A copy of the agent in a directory that everybody may use, unlike the one it was built into.
fn open_directory() -> Result<tempfile::TempDir> {
    let directory = tempfile::tempdir_in("/tmp")?;
    fs::copy(
        binary("picket-agent")?,
        directory.path().join("picket-agent"),
    )?;
    let mut chmod = guarded("chmod");
    run("chmod", chmod.arg("777").arg(directory.path()), LIMIT)?.success()?;
    Ok(directory)
}

#[test]
fn three_capabilities_are_enough() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, directory) = (Namespace::new()?, open_directory()?);
    let rights = "-all,+bpf,+perfmon,+net_admin";
    let mut command = network.command("setpriv");
    command
        .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
        .arg(format!("--inh-caps={rights}"))
        .arg(format!("--ambient-caps={rights}"))
        .arg(format!("--bounding-set={rights}"))
        .arg(directory.path().join("picket-agent"))
        .args(arguments(directory.path()));
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    agent.wait_for_line(WATCHING, LIMIT)?;
    ensure!(agent.terminate(LIMIT)?.success(), "{}", agent.log());
    Ok(())
}

#[test]
fn a_kernel_without_btf_will_do() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, directory) = (Namespace::new()?, open_directory()?);
    let empty = directory.path().join("empty");
    fs::create_dir(&empty)?;
    let mut command = network.command("unshare");
    command
        .args(["--mount", "sh", "-c"])
        .arg("mount --bind \"$1\" /sys/kernel/btf && shift && ! test -e /sys/kernel/btf/vmlinux && exec \"$@\"")
        .arg("sh")
        .arg(&empty)
        .arg(directory.path().join("picket-agent"))
        .args(arguments(directory.path()));
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    agent.wait_for_line(WATCHING, LIMIT)?;
    Ok(())
}

/// The build script alone: what it says is what cargo prints.
#[test]
fn a_missing_object_names_the_command_that_makes_it() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let script = directory.path().join("build");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../agent/build.rs");
    let mut rustc = guarded(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc.args(["--edition", "2024", "-o"]).arg(&script);
    run("rustc", rustc.arg(source), LIMIT)?.success()?;

    let missing = directory.path().join("missing.o");
    let built = Command::new(&script)
        .env("OUT_DIR", directory.path())
        .env("PICKET_PROGRAMS", &missing)
        .output()?;
    let said = String::from_utf8_lossy(&built.stdout).into_owned();
    let error = said
        .lines()
        .find(|line| line.starts_with("cargo::error="))
        .unwrap_or_default();
    for text in [
        missing.display().to_string().as_str(),
        "cargo xtask build-ebpf",
    ] {
        ensure!(error.contains(text), "it does not say {text:?}: {said}");
    }
    Ok(())
}
