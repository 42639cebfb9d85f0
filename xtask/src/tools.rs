//! The tools of our own: programs of one exact version in a cache folder, built or fetched once.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use crate::command;

/// A binary crate, and how it is built.
pub(crate) struct Tool {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    arguments: &'static [&'static str],
    llvm: Option<&'static str>,
}

/// Must link the same LLVM as the compiler of the kernel programs.
pub(crate) const BPF_LINKER: Tool = Tool {
    name: "bpf-linker",
    version: "0.13.0",
    arguments: &["--no-default-features", "--features", "llvm-22"],
    llvm: Some("/usr/lib/llvm-22"),
};

pub(crate) const CARGO_DENY: Tool = Tool {
    name: "cargo-deny",
    version: "0.20.2",
    arguments: &[],
    llvm: None,
};

pub(crate) const CARGO_FUZZ: Tool = Tool {
    name: "cargo-fuzz",
    version: "0.13.2",
    arguments: &[],
    llvm: None,
};

/// A program that is fetched ready to run.
pub(crate) struct Fetched {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
}

pub(crate) const KUBECTL: Fetched = Fetched {
    name: "kubectl",
    version: "v1.37.1",
};

pub(crate) const HELM: Fetched = Fetched {
    name: "helm",
    version: "v4.3.1",
};

/// Of whatever version Debian's release has.
pub(crate) const PROMTOOL: &str = "promtool";

/// Where the machine has none that is new enough.
pub(crate) const NODE: Fetched = Fetched {
    name: "node",
    version: "24.19.0",
};

pub(crate) const KUBERNETES_VALIDATE: Fetched = Fetched {
    name: "kubernetes-validate",
    version: "1.37.0",
};

/// What the forms of events are held against, of Python's packages.
pub(crate) const FORMS: [(&str, &str); 3] = [
    ("cloudevents", "2.2.0"),
    ("jsonschema", "4.26.0"),
    ("ocsf-json-schema", "1.2.0"),
];

/// The same, of Node's: all fields of the Elastic Common Schema.
pub(crate) const ECS: Fetched = Fetched {
    name: "@elastic/ecs",
    version: "9.4.0",
};

impl Fetched {
    pub(crate) fn path(&self) -> Result<PathBuf> {
        program(self.name)
    }
}

impl Tool {
    pub(crate) fn path(&self) -> Result<PathBuf> {
        program(self.name)
    }

    /// Whether the tool is there, in our version, and starts: a missing shared library shows here.
    pub(crate) fn is_installed(&self) -> Result<bool> {
        let printed = command::probe(Command::new(self.path()?).arg("--version"));
        Ok(printed.is_some_and(|printed| self.is_version(&printed)))
    }

    pub(crate) fn install(&self) -> Result<()> {
        let folder = folder()?;
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot create the tools folder {}", folder.display()))?;
        let mut install = command::cargo();
        install
            .current_dir(&folder)
            .arg("install")
            .arg(format!("{}@{}", self.name, self.version))
            .args(["--locked", "--force", "--root"])
            .arg(&folder)
            .args(self.arguments)
            // Otherwise its build products would stay in our own target folder.
            .env_remove("CARGO_TARGET_DIR");
        if let Some(prefix) = self.llvm {
            let programs = Path::new(prefix).join("bin");
            let path = env::var_os("PATH").unwrap_or_default();
            let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path)))?;
            install.env("PATH", path).env("LLVM_PREFIX", prefix);
        }
        command::run(
            &mut install,
            "read the compiler's message above, then run `cargo xtask setup` again",
        )
    }

    fn is_version(&self, printed: &str) -> bool {
        printed.split_whitespace().eq([self.name, self.version])
    }
}

/// Where the program of this name is, once it is there.
pub(crate) fn program(name: &str) -> Result<PathBuf> {
    Ok(folder()?.join("bin").join(name))
}

fn folder() -> Result<PathBuf> {
    Ok(cache()?.join("tools"))
}

/// The names of what is in `folder`.
pub(crate) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let names = entries.collect::<Result<Vec<_>>>()?;
    Ok(names
        .into_iter()
        .filter_map(|name| name.into_string().ok())
        .collect())
}

/// What is kept from one checkout to the next.
pub(crate) fn cache() -> Result<PathBuf> {
    let cache = match env::var_os("XDG_CACHE_HOME") {
        Some(cache) if !cache.is_empty() => PathBuf::from(cache),
        _ => {
            let home = env::var_os("HOME").context(
                "cannot tell where the cache is: neither XDG_CACHE_HOME nor HOME is set; set one",
            )?;
            Path::new(&home).join(".cache")
        }
    };
    Ok(cache.join("picket"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_pinned_version_counts_as_installed() {
        assert!(BPF_LINKER.is_version("bpf-linker 0.13.0\n"));
        assert!(!BPF_LINKER.is_version("bpf-linker 0.13.1\n"));
        assert!(!BPF_LINKER.is_version("bpf-linker 0.13.0-dev\n"));
        assert!(!BPF_LINKER.is_version(""));
    }
}
