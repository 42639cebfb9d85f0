//! What the node's kernel offers, as its files tell.

use std::{fs, path::Path};

use api::v1::Finding;

use super::finding::{failed, ok, unknown, warning};
use crate::datapath::{FLOOR, TCX, version};

/// Of `release`, and of the files below `root`.
pub(super) fn examine(root: &Path, release: &str) -> Vec<Finding> {
    vec![floor(release), attachment(release), types(root), jit(root)]
}

fn floor(release: &str) -> Finding {
    let (major, minor) = FLOOR;
    match version(release) {
        Some(version) if version >= FLOOR => ok("kernel", format!("Linux {release}")),
        Some(_) => failed(
            "kernel",
            format!("Linux {release} is older than {major}.{minor}"),
            "upgrade the node's kernel; nothing is watched on this one",
        ),
        None => unknown(
            "kernel",
            format!("cannot tell the version of `{release}`"),
            "see with `uname -r` whether it is 5.15 or newer",
        ),
    }
}

fn attachment(release: &str) -> Finding {
    let (major, minor) = TCX;
    match version(release) {
        Some(version) if version >= TCX => ok("tcx", "the kernel has tcx"),
        _ => warning(
            "tcx",
            format!(
                "no tcx, which came with Linux {major}.{minor}: programs are attached by clsact"
            ),
            "upgrade the node's kernel, so that no other program can be put before ours unseen",
        ),
    }
}

fn types(root: &Path) -> Finding {
    if root.join("sys/kernel/btf/vmlinux").exists() {
        return ok("btf", "the kernel tells its types");
    }
    warning(
        "btf",
        "/sys/kernel/btf/vmlinux is not there: bpftool and others cannot tell what the programs' maps hold",
        "use a kernel with CONFIG_DEBUG_INFO_BTF, or mount the node's /sys read-only",
    )
}

fn jit(root: &Path) -> Finding {
    match fs::read_to_string(root.join("proc/sys/net/core/bpf_jit_enable")) {
        Ok(text) if text.trim() == "1" => ok("bpf_jit", "programs are compiled"),
        Ok(text) if text.trim() == "0" => warning(
            "bpf_jit",
            "programs are interpreted, which makes every packet several times as dear",
            "sysctl -w net.core.bpf_jit_enable=1",
        ),
        Ok(text) => warning(
            "bpf_jit",
            format!(
                "net.core.bpf_jit_enable is {}, which is for debugging",
                text.trim()
            ),
            "sysctl -w net.core.bpf_jit_enable=1",
        ),
        Err(error) => unknown(
            "bpf_jit",
            format!("cannot read net.core.bpf_jit_enable: {error}"),
            "ask as root of the node: `sysctl net.core.bpf_jit_enable`, which should be 1",
        ),
    }
}

#[cfg(test)]
mod tests {
    use api::v1::Verdict::{self, Failed, Ok, Unspecified, Warning};

    use super::*;

    fn verdicts(root: &Path, release: &str) -> Vec<Verdict> {
        let findings = examine(root, release);
        findings.iter().map(Finding::verdict).collect()
    }

    #[test]
    fn what_a_kernel_lacks_is_found_with_what_to_do() {
        let root = tempfile::tempdir().unwrap();
        let bare = verdicts(root.path(), "5.10.0-28-amd64");
        assert_eq!(bare, [Failed, Warning, Warning, Unspecified]);
        fs::create_dir_all(root.path().join("sys/kernel/btf")).unwrap();
        fs::write(root.path().join("sys/kernel/btf/vmlinux"), "").unwrap();
        let jit = root.path().join("proc/sys/net/core");
        fs::create_dir_all(&jit).unwrap();
        for (text, verdict) in [("0\n", Warning), ("1\n", Ok), ("2\n", Warning)] {
            fs::write(jit.join("bpf_jit_enable"), text).unwrap();
            assert_eq!(
                verdicts(root.path(), "6.18.5"),
                [Ok, Ok, Ok, verdict],
                "{text}"
            );
        }
        assert_eq!(verdicts(root.path(), "5.15.0")[..2], [Ok, Warning]);
        for (root, release) in [(root.path(), "5.10.0"), (Path::new("/nowhere"), "strange")] {
            for finding in examine(root, release) {
                let told = finding.verdict() == Ok || !finding.remedy.is_empty();
                assert!(told, "{finding:?}");
            }
        }
    }
}
