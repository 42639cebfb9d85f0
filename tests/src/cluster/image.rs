//! Container images, made of programs of this machine and the libraries they need.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{guarded, run};

/// What [`Image::lab`] is called.
pub(super) const LAB: &str = "docker.io/library/lab:1";
const LIMIT: Duration = Duration::from_secs(60);
const BUSYBOX: &str = "/bin/busybox";

/// An image in an archive, as nodes import it.
#[derive(Debug)]
pub struct Image {
    archive: PathBuf,
    _directory: TempDir,
}

impl Image {
    /// A shell with what belongs to one, and nmap. Unless told otherwise it sleeps.
    ///
    /// # Errors
    /// When one of them is not installed.
    pub fn lab() -> Result<Self> {
        Self::build(LAB, &["/bin/sleep", "inf"], "0:0", |root| {
            program(root, Path::new(BUSYBOX), "bin/busybox")?;
            let listed = run("busybox", guarded(BUSYBOX).arg("--list"), LIMIT)?.success()?;
            for applet in listed.stdout.lines().filter(|it| *it != "busybox") {
                symlink("busybox", root.join("bin").join(applet))?;
            }
            program(root, Path::new("/usr/bin/nmap"), "usr/bin/nmap")?;
            let data = Path::new("/usr/share/nmap");
            fs::create_dir_all(root.join("usr/share/nmap"))?;
            for file in ["nmap-services", "nmap-payloads", "nmap-protocols"] {
                fs::copy(data.join(file), root.join("usr/share/nmap").join(file))
                    .with_context(|| format!("cannot copy {file} of nmap"))?;
            }
            Ok(())
        })
    }

    /// `name` with `programs`, the first of which it runs, as `user` (`UID:GID`).
    ///
    /// # Errors
    /// When one of them cannot be read.
    pub fn of_programs(name: &str, programs: &[PathBuf], user: &str) -> Result<Self> {
        let names: Vec<_> = programs
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
            .collect();
        let first = format!("/{}", names.first().context("an image needs a program")?);
        Self::build(
            &format!("docker.io/library/{name}"),
            &[&first],
            user,
            |root| {
                for (path, name) in programs.iter().zip(&names) {
                    program(root, path, name)?;
                }
                Ok(())
            },
        )
    }

    pub(super) fn archive(&self) -> &Path {
        &self.archive
    }

    fn build(
        name: &str,
        entry: &[&str],
        user: &str,
        fill: impl FnOnce(&Path) -> Result<()>,
    ) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("image").tempdir()?;
        let root = directory.path().join("root");
        let layout = directory.path().join("layout");
        fs::create_dir(&root)?;
        fs::create_dir_all(layout.join("blobs/sha256"))?;
        for folder in ["dev", "etc", "proc", "sys", "tmp"] {
            fs::create_dir(root.join(folder))?;
        }
        fill(&root).with_context(|| format!("cannot make the image {name}"))?;

        let layer = directory.path().join("layer");
        tar(&root, &layer)?;
        let layer = blob(&layout, &layer, "application/vnd.oci.image.layer.v1.tar")?;
        let document = |content: Value, kind: &str| -> Result<Value> {
            let file = directory.path().join("document");
            fs::write(&file, content.to_string())?;
            blob(
                &layout,
                &file,
                &format!("application/vnd.oci.image.{kind}.v1+json"),
            )
        };
        let config = json!({
            "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
            "os": "linux",
            "config": {"Entrypoint": entry, "User": user, "Env": ["PATH=/bin:/usr/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [layer["digest"]]},
        });
        let config = document(config, "config")?;
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": [layer]});
        let mut manifest = document(manifest, "manifest")?;
        manifest["annotations"] = json!({"io.containerd.image.name": name});
        let index = json!({"schemaVersion": 2, "manifests": [manifest]});
        fs::write(layout.join("index.json"), index.to_string())?;
        fs::write(
            layout.join("oci-layout"),
            r#"{"imageLayoutVersion": "1.0.0"}"#,
        )?;
        let archive = directory.path().join("image.tar");
        tar(&layout, &archive)?;
        fs::remove_dir_all(&root)?;
        fs::remove_dir_all(&layout)?;
        Ok(Self {
            archive,
            _directory: directory,
        })
    }
}

/// Copies a program to `place` below `root`, without what only a debugger reads, and its libraries to where they
/// are here.
fn program(root: &Path, path: &Path, place: &str) -> Result<()> {
    let to = root.join(place);
    fs::create_dir_all(to.parent().context("a program is in a folder")?)?;
    let mut strip = guarded("strip");
    strip.arg("--strip-debug").arg("-o").arg(&to).arg(path);
    run("strip", &mut strip, LIMIT)?.success()?;
    // It fails for a static program, which needs none.
    let linked = run("ldd", guarded("ldd").arg(path), LIMIT)?;
    for library in linked.stdout.lines().filter_map(library) {
        let copy = root.join(library.trim_start_matches('/'));
        fs::create_dir_all(copy.parent().context("a library is in a folder")?)?;
        fs::copy(library, copy).with_context(|| format!("cannot copy {library}"))?;
    }
    Ok(())
}

/// The path in a line of ldd's: `name => /path (address)`, or `/path (address)`.
fn library(line: &str) -> Option<&str> {
    let path = line.split_whitespace().find(|word| word.starts_with('/'))?;
    Some(path)
}

fn tar(folder: &Path, archive: &Path) -> Result<()> {
    let mut tar: Command = guarded("tar");
    tar.args([
        "--create",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--file",
    ]);
    tar.arg(archive).arg("--directory").arg(folder).arg(".");
    run("tar", &mut tar, LIMIT)?.success().map(drop)
}

/// Moves a file to the blobs of `layout`, and describes it.
fn blob(layout: &Path, file: &Path, kind: &str) -> Result<Value> {
    let printed = run("sha256sum", guarded("sha256sum").arg(file), LIMIT)?.success()?;
    let digest = printed.stdout.split_whitespace().next();
    let digest = digest.context("sha256sum prints nothing")?;
    let size = fs::metadata(file)?.len();
    fs::rename(file, layout.join("blobs/sha256").join(digest))?;
    Ok(json!({"mediaType": kind, "digest": format!("sha256:{digest}"), "size": size}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_read_from_what_ldd_prints() {
        for (line, expected) in [
            ("\tlinux-vdso.so.1 (0x00007fec9c6bd000)", None),
            (
                "\tlibm.so.6 => /lib/x86_64-linux-gnu/libm.so.6 (0x1)",
                Some("/lib/x86_64-linux-gnu/libm.so.6"),
            ),
            (
                "\t/lib64/ld-linux-x86-64.so.2 (0x1)",
                Some("/lib64/ld-linux-x86-64.so.2"),
            ),
            ("\tstatically linked", None),
            ("\tlibx.so => not found", None),
        ] {
            assert_eq!(library(line), expected, "{line}");
        }
    }
}
