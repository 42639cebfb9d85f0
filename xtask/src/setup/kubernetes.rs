//! Kubernetes, built from the source package of Debian 12: the newest that Debian has, and the packages it makes
//! of it leave the server out.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

use super::plan::Step;
use crate::{
    command,
    debian::{AGAIN, Debian},
    tools,
};

const SUITE: &str = "bookworm";
const VERSION: &str = "1.20.2";
const PROGRAMS: [&str; 5] = [
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubelet",
];
/// The compiler that it is built with, and two libraries in place of its own, whose reflect2 crashes when
/// compiled by this one.
const PACKAGES: [&str; 4] = [
    "golang-1.19-go",
    "golang-1.19-src",
    "golang-github-json-iterator-go-dev",
    "golang-github-modern-go-reflect2-dev",
];
const REPLACED: [&str; 2] = ["modern-go/reflect2", "json-iterator/go"];
/// Show how to write such objects, and are none of its own.
const SPARED: [&str; 2] = ["code-generator", "sample-apiserver"];
/// Marks what the API server describes to its clients.
const DESCRIBED: &str = "// +k8s:openapi-gen=true";
const NEXT: &str = "read what go says, then run the command again";

/// The step that builds it, unless it is there.
pub(super) fn step() -> Result<Option<Step>> {
    let place = tools::cache()?.join("kubernetes");
    if PROGRAMS.iter().all(|name| place.join(name).is_file()) {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!("Kubernetes {VERSION}, built from source in about eight minutes"),
        needs_root: false,
        install: Box::new(move || install(&place)),
    }))
}

fn install(place: &Path) -> Result<()> {
    let fresh = tools::cache()?.join("kubernetes-fresh");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    let debian = Debian::list(fresh.join("apt"), &[SUITE], true)?;
    let packages = debian.unpack(&PACKAGES, &fresh.join("packages"))?;
    let build = Build {
        root: fresh.join("gopath/src/k8s.io/kubernetes"),
        go: packages.join("usr/lib/go-1.19"),
        programs: fresh.join("programs"),
        fresh,
    };
    build.fetch(&debian)?;
    build.replace(&packages)?;
    build.describe()?;
    build.compile()?;
    fs::rename(&build.programs, place)
        .with_context(|| format!("cannot put Kubernetes at {}", place.display()))?;
    fs::remove_dir_all(&build.fresh)
        .with_context(|| format!("cannot remove {}", build.fresh.display()))
}

struct Build {
    /// Where all of this is.
    fresh: PathBuf,
    /// Of the sources, where Go looks for them.
    root: PathBuf,
    go: PathBuf,
    programs: PathBuf,
}

impl Build {
    fn fetch(&self, debian: &Debian) -> Result<()> {
        for folder in [&self.root, &self.programs] {
            fs::create_dir_all(folder)
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let mut source = debian.apt("apt-get");
        source.current_dir(&self.fresh).args(["--quiet", "source"]);
        command::run(source.args(["--download-only", "kubernetes"]), AGAIN)?;
        let archive = tools::names(&self.fresh)?
            .into_iter()
            .find(|name| name.ends_with(".orig.tar.gz"))
            .context("Debian's source package of Kubernetes has no .orig.tar.gz")?;
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--strip-components=1", "--file"]);
        tar.arg(self.fresh.join(archive))
            .arg("--directory")
            .arg(&self.root);
        command::run(&mut tar, AGAIN)
    }

    fn replace(&self, packages: &Path) -> Result<()> {
        for name in REPLACED {
            let from = packages.join("usr/share/gocode/src/github.com").join(name);
            let to = self.root.join("vendor/github.com").join(name);
            let place = || format!("cannot replace {}", to.display());
            for file in tools::names(&to).with_context(place)? {
                if is_source(&file) {
                    fs::remove_file(to.join(file)).with_context(place)?;
                }
            }
            for file in tools::names(&from).with_context(place)? {
                if is_source(&file) && !file.ends_with("_test.go") {
                    fs::copy(from.join(&file), to.join(&file)).with_context(place)?;
                }
            }
        }
        Ok(())
    }

    /// Generates what the sources lack: the descriptions of all objects.
    fn describe(&self) -> Result<()> {
        let generator = self.fresh.join("openapi-gen");
        let mut build = self.go(&["build", "-o"]);
        build
            .arg(&generator)
            .arg("./vendor/k8s.io/kube-openapi/cmd/openapi-gen");
        command::run(&mut build, NEXT)?;
        let mut described = Vec::new();
        for (folder, name) in [
            ("staging/src/k8s.io", "k8s.io/kubernetes/vendor/k8s.io"),
            ("pkg", "k8s.io/kubernetes/pkg"),
        ] {
            find(&self.root.join(folder), name, &mut described)?;
        }
        described.sort();
        let mut generate = Command::new(generator);
        self.equip(&mut generate)
            .args(["--logtostderr", "--input-dirs", &described.join(",")])
            .args([
                "--output-package",
                "k8s.io/kubernetes/pkg/generated/openapi",
            ])
            .args([
                "--output-file-base",
                "zz_generated.openapi",
                "--go-header-file",
            ])
            .args([
                "hack/boilerplate/boilerplate.generatego.txt",
                "--output-base",
            ])
            .arg(self.fresh.join("gopath/src"))
            .arg("--report-filename")
            .arg(self.fresh.join("violations"));
        // The folders are far too many to show.
        let output = generate.output().context("cannot start openapi-gen")?;
        if !output.status.success() {
            bail!(
                "openapi-gen failed: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
        Ok(())
    }

    fn compile(&self) -> Result<()> {
        let mut flags = String::from("-s -w");
        for package in [
            "k8s.io/kubernetes/vendor/k8s.io/component-base/version",
            "k8s.io/kubernetes/vendor/k8s.io/client-go/pkg/version",
        ] {
            flags += &format!(" -X {package}.gitVersion=v{VERSION}");
            flags += &format!(" -X {package}.gitMajor=1 -X {package}.gitMinor=20");
        }
        let mut build = self.go(&["build", "-ldflags", &flags, "-o"]);
        build.arg(&self.programs);
        build.args(PROGRAMS.map(|name| format!("k8s.io/kubernetes/cmd/{name}")));
        command::run(&mut build, NEXT)
    }

    fn go(&self, arguments: &[&str]) -> Command {
        let mut go = Command::new(self.go.join("bin/go"));
        self.equip(&mut go).args(arguments);
        go
    }

    fn equip<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .current_dir(&self.root)
            .env("GOROOT", &self.go)
            .env("GOPATH", self.fresh.join("gopath"))
            .env("GOCACHE", self.fresh.join("gocache"))
            .env("GO111MODULE", "off")
            .env("GOFLAGS", "")
            .env("CGO_ENABLED", "0")
    }
}

fn is_source(file: &str) -> bool {
    Path::new(file).extension().is_some_and(|it| it == "go")
}

/// The packages in `folder`, which Go calls `name`, and below it, that are described.
fn find(folder: &Path, name: &str, found: &mut Vec<String>) -> Result<()> {
    let place = || format!("cannot read {}", folder.display());
    let mut described = false;
    for entry in tools::names(folder).with_context(place)? {
        let path = folder.join(&entry);
        if path.is_symlink() {
            continue;
        }
        if path.is_dir() {
            if !SPARED.contains(&&*entry) {
                find(&path, &format!("{name}/{entry}"), found)?;
            }
        } else if is_source(&entry) && !described {
            let text = fs::read_to_string(&path).with_context(place)?;
            described = text.lines().any(|line| line.starts_with(DESCRIBED));
        }
    }
    if described {
        found.push(name.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_described_that_say_so() {
        let root = std::env::temp_dir().join(format!("picket-{}", std::process::id()));
        let tagged = format!("{DESCRIBED}\n\npackage a\n");
        for (file, text) in [
            ("api/v1/doc.go", &*tagged),
            ("api/v1/register.go", "package v1\n"),
            ("api/v1/README", &tagged),
            ("api/v2/doc.go", "package v2\n"),
            ("code-generator/v1/doc.go", &tagged),
        ] {
            let path = root.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let mut found = Vec::new();
        find(&root, "pkg", &mut found).unwrap();
        fs::remove_dir_all(&root).unwrap();
        assert_eq!(found, ["pkg/api/v1"]);
    }
}
