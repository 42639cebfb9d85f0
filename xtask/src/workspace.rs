//! What cargo knows of the workspace: its root, its packages, and where it builds.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use serde::Deserialize;

use crate::command;

#[derive(Deserialize)]
pub(crate) struct Workspace {
    #[serde(rename = "workspace_root")]
    pub(crate) root: PathBuf,
    #[serde(rename = "target_directory")]
    pub(crate) target: PathBuf,
    pub(crate) packages: Vec<Package>,
}

#[derive(Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
        let json = command::read(
            command::cargo()
                .args(["metadata", "--no-deps", "--format-version", "1"])
                .args(["--manifest-path", manifest]),
            "check the Cargo.toml it names",
        )?;
        serde_json::from_str(&json).context("cannot read what `cargo metadata` printed")
    }

    /// Where the object with the kernel programs is put for the agent to embed.
    pub(crate) fn programs(&self) -> PathBuf {
        self.target.join("bpf/picket-programs.o")
    }

    /// Where the object with the benchmark's own programs is put for the benchmark to load.
    pub(crate) fn bench_programs(&self) -> PathBuf {
        self.target.join("bpf/bench-programs.o")
    }
}
