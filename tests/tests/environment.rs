//! What the agent needs of the machine: it goes on without what it can do without, and names the rest.

use std::{env, fs, path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};
use tests::{Bpffs, MemoryLimit, Namespace, Process, binary, guarded, run, without_root};

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

/// Arguments of `setpriv` for a user who is nobody, with these capabilities.
fn nobody(capabilities: &str) -> Vec<String> {
    let mut arguments: Vec<_> = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]
        .map(str::to_owned)
        .into();
    for set in ["inh-caps", "ambient-caps", "bounding-set"] {
        arguments.push(format!("--{set}=-all{capabilities}"));
    }
    arguments
}

#[test]
fn three_capabilities_are_enough() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, directory, bpffs) = (Namespace::new()?, open_directory()?, Bpffs::new()?);
    bpffs.shell("chmod 700 /sys/fs/bpf")?;
    let mut command = bpffs.command(&network, "setpriv");
    command
        .args(nobody(",+bpf,+perfmon,+net_admin"))
        .arg(directory.path().join("picket-agent"))
        .args(arguments(directory.path()));
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    // The bpffs is root's alone, as on every node.
    agent.wait_for_line("going on without pins", LIMIT)?;
    agent.wait_for_line(WATCHING, LIMIT)?;
    ensure!(agent.terminate(LIMIT)?.success(), "{}", agent.log());
    ensure!(bpffs.pins()?.is_empty(), "{:?}", bpffs.pins()?);
    Ok(())
}

#[test]
fn each_missing_capability_is_named() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, directory) = (Namespace::new()?, open_directory()?);
    let cases = [
        (",+perfmon,+net_admin", "lacks BPF:"),
        (",+bpf,+net_admin", "lacks PERFMON:"),
        (",+bpf,+perfmon", "lacks NET_ADMIN:"),
    ];
    for (capabilities, says) in cases {
        let mut command = network.command("setpriv");
        command
            .args(nobody(capabilities))
            .arg(directory.path().join("picket-agent"))
            .args(arguments(directory.path()))
            .args(["--pin", "none"]);
        let ended = run("picket-agent", &mut command, LIMIT)?;
        ensure!(
            !ended.status.success() && ended.stderr.contains(says),
            "{capabilities}: {ended:?}"
        );
    }
    Ok(())
}

#[test]
fn without_a_bpffs_pins_are_missed_only_by_who_asked_for_them() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, directory, bpffs) = (Namespace::new()?, open_directory()?, Bpffs::missing()?);
    let start = |pin: &[&str]| {
        let mut command = bpffs.command(&network, directory.path().join("picket-agent"));
        command.args(arguments(directory.path())).args(pin);
        Process::spawn("picket-agent", &mut command)
    };
    let mut agent = start(&[])?;
    agent.wait_for_line("going on without pins", LIMIT)?;
    agent.wait_for_line(WATCHING, LIMIT)?;
    ensure!(agent.terminate(LIMIT)?.success(), "{}", agent.log());
    let mut agent = start(&["--pin", "/sys/fs/bpf/picket"])?;
    agent.wait_for_line("it is not on a bpffs; mount one", LIMIT)?;
    ensure!(!agent.wait(LIMIT)?.success(), "it went on");
    Ok(())
}

#[test]
fn a_second_agent_leaves_the_pins_of_the_first_alone() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let (network, bpffs) = (Namespace::new()?, Bpffs::new()?);
    let [one, two] = [open_directory()?, open_directory()?];
    let start = |directory: &Path, pin: &[&str]| {
        let mut command = bpffs.command(&network, directory.join("picket-agent"));
        // Its own pins come and go with the canary.
        command
            .args(arguments(directory))
            .args(["--canary", "off"])
            .args(pin);
        Process::spawn("picket-agent", &mut command)
    };
    let mut first = start(one.path(), &[])?;
    first.wait_for_line(WATCHING, LIMIT)?;
    let pins = bpffs.pins()?;
    let mut second = start(two.path(), &[])?;
    second.wait_for_line("another picket-agent does", LIMIT)?;
    second.wait_for_line("serving gRPC", LIMIT)?;
    ensure!(second.terminate(LIMIT)?.success(), "{}", second.log());
    let mut second = start(two.path(), &["--pin", "/sys/fs/bpf/picket"])?;
    second.wait_for_line("another picket-agent does", LIMIT)?;
    ensure!(!second.wait(LIMIT)?.success(), "it went on");
    ensure!(bpffs.pins()? == pins, "{:?}", bpffs.pins()?);
    Ok(())
}

#[test]
fn too_little_memory_for_the_maps_is_told_with_the_way_out() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    // Enough for the agent, not for so many slots.
    let Some(limit) = MemoryLimit::new(64 << 20)? else {
        eprintln!("skipped: this machine has no memory cgroups, or lets nobody make one");
        return Ok(());
    };
    let (network, directory) = (Namespace::new()?, open_directory()?);
    let mut command = network.command("sh");
    command
        .args(["-c", &limit.joining(), "sh"])
        .arg(directory.path().join("picket-agent"))
        .args(arguments(directory.path()))
        .args(["--pin", "none", "--slots", "8192"]);
    let ended = run("picket-agent", &mut command, LIMIT)?;
    ensure!(
        !ended.status.success() && ended.stderr.contains("or lower --slots"),
        "{ended:?}"
    );
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
        .args(arguments(directory.path()))
        .args(["--pin", "none"]);
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
