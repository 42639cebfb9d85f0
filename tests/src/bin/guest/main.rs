//! The first process of a virtual machine: runs what `cargo xtask test kernels` planned, and powers off.

mod programs;

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    path::PathBuf,
    process::{self, Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use rustix::{
    mount::{MountFlags, mount},
    system::{RebootCommand, finit_module, reboot, sethostname},
};

/// Commands, one a line: `NAME=VALUE` words, the program, its arguments.
const PLAN: &str = "/picket/plan";
/// Kernel modules, by name in the order in which they depend on each other.
const MODULES: &str = "/picket/modules";
const CGROUPS: &str = "/sys/fs/cgroup";
const MOUNTS: [(&str, &str); 6] = [
    ("proc", "/proc"),
    ("sysfs", "/sys"),
    ("bpf", "/sys/fs/bpf"),
    ("cgroup2", CGROUPS),
    ("devtmpfs", "/dev"),
    ("tmpfs", "/tmp"),
];

fn main() -> ExitCode {
    let done = match env::args().nth(1).as_deref() {
        None if process::id() == 1 => serve(),
        Some("programs") => programs::print(),
        _ => Err(anyhow::anyhow!(
            "this is the first process of a virtual machine: run `cargo xtask test kernels`"
        )),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Never returns but with an error: the kernel would panic at the end of its first process.
fn serve() -> Result<()> {
    if let Err(error) = prepare().and_then(|()| perform()) {
        say(&format!("guest: failed: {error:#}"));
    }
    say("guest: powers off");
    reboot(RebootCommand::PowerOff).context("cannot power off")?;
    bail!("the machine did not power off");
}

fn prepare() -> Result<()> {
    sethostname(b"guest").context("cannot name the machine")?;
    for (kind, place) in MOUNTS {
        mount(kind, place, kind, MountFlags::empty(), None)
            .with_context(|| format!("cannot mount {kind} at {place}"))?;
    }
    let controllers = format!("{CGROUPS}/cgroup.subtree_control");
    fs::write(controllers, "+memory").context("cannot limit memory by cgroups")?;
    let modules = fs::read_dir(MODULES)?.map(|entry| Ok(entry?.path()));
    let mut modules = modules.collect::<Result<Vec<PathBuf>>>()?;
    modules.sort_unstable();
    for module in modules {
        finit_module(File::open(&module)?, c"", 0)
            .with_context(|| format!("cannot load {}", module.display()))?;
    }
    Ok(())
}

fn perform() -> Result<()> {
    let plan = fs::read_to_string(PLAN).with_context(|| format!("cannot read {PLAN}"))?;
    for (index, line) in plan.lines().enumerate() {
        say(&format!("guest: run {index}"));
        let mut words = line.split_whitespace().peekable();
        let mut environment = BTreeMap::new();
        while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
            environment.insert(name, value);
            words.next();
        }
        let program = words.next().unwrap_or_default();
        ensure!(!program.is_empty(), "line {index} of {PLAN} has no program");
        let status = Command::new(program)
            .args(words)
            .envs(environment)
            .status()
            .with_context(|| format!("cannot start {program}"))?;
        // A signal is no exit code: the reader of the console takes any word but a number for one.
        let code = status.code().map_or("none".into(), |code| code.to_string());
        say(&format!("guest: exit {code}"));
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the serial console is read by xtask")]
fn say(line: &str) {
    println!("{line}");
}
