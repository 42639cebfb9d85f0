//! One virtual machine, from its boot to its end, bounded in time.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail};

use super::{
    console::{Console, Ended},
    plan::Step,
};

/// For all steps together, of which most goes into the verifier; four times what they take.
const LIMIT: &str = "480";
const DIES_WITH_US: [&str; 2] = ["--pdeathsig", "KILL"];
/// Without KVM: the machines that build us have none. The CPUs take turns in one thread: in threads of
/// their own qemu 7.2 now and then runs code that the kernel has patched meanwhile (`Oops: int3`).
const MACHINE: [&str; 19] = [
    "-nodefaults",
    "-no-user-config",
    "-no-reboot",
    "-display",
    "none",
    "-serial",
    "stdio",
    "-accel",
    "tcg,thread=single",
    "-cpu",
    "max",
    "-smp",
    "2",
    "-m",
    "512",
    "-append",
    "console=ttyS0 quiet panic=-1 oops=panic",
    "-nic",
    "none",
];

/// Boots `kernel` into `image`, and calls `ended` with each step of `steps` and how long it took.
///
/// # Errors
/// When it cannot be started, or ends before all steps have; with what it said last.
pub(super) fn run(
    kernel: &Path,
    image: &Path,
    steps: &[Step],
    mut ended: impl FnMut(&Step, Ended, Duration) -> Result<()>,
) -> Result<()> {
    // It goes when its time is over, and when we go, by whatever signal.
    let mut command = Command::new("setpriv");
    command
        .args(DIES_WITH_US)
        .args([
            "timeout",
            "--foreground",
            "--signal",
            "KILL",
            LIMIT,
            "setpriv",
        ])
        .args(DIES_WITH_US)
        .arg("qemu-system-x86_64")
        .args(MACHINE)
        .arg("-kernel")
        .arg(kernel)
        .arg("-initrd")
        .arg(image)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let child = command.spawn();
    let mut machine = Guard(child.context("cannot start qemu; run `cargo xtask setup`")?);
    let said = machine
        .0
        .stdout
        .take()
        .context("qemu has no standard output")?;
    let mut console = Console::default();
    let mut left = steps.iter();
    let mut since = now();
    for line in BufReader::new(said).split(b'\n') {
        let line = line.context("cannot read what the machine says")?;
        if let Some(end) = console.line(&String::from_utf8_lossy(&line)) {
            let step = left
                .next()
                .context("the machine took more steps than planned")?;
            ended(step, end, since.elapsed())?;
            since = now();
        }
    }
    let (last, is_whole) = console.finish();
    if let Some(step) = left.next() {
        bail!(
            "the machine ended before `{}` had, {}; it said last:\n{}",
            step.name,
            if is_whole {
                "by itself"
            } else {
                "or its time was over"
            },
            last.join("\n")
        );
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "how long a step takes is shown")]
fn now() -> Instant {
    Instant::now()
}

/// Killed when dropped.
struct Guard(Child);

impl Drop for Guard {
    fn drop(&mut self) {
        // Both fail only when it has ended already.
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
