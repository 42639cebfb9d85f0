//! The compiler of the kernel programs: a dated nightly, or Debian's rustc.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use crate::command;

/// Both carry LLVM 22, the one that bpf-linker is built against.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Compiler {
    /// Through rustup, with `rust-src`.
    Nightly,
    /// Debian's `rustc-web` with `rust-web-src`.
    Debian,
}

pub(crate) const NIGHTLY: &str = "nightly-2026-05-20";
const LLVM: &str = "LLVM version: 22.";
const DEBIAN_RUSTC: &str = "/usr/bin/rustc";
const DEBIAN_CLIPPY: &str = "/usr/bin/cargo-clippy";

impl Compiler {
    /// The first one that is installed completely; `lint` asks for its clippy too.
    pub(crate) fn find(lint: bool) -> Option<Self> {
        [Self::Nightly, Self::Debian]
            .into_iter()
            .find(|compiler| compiler.is_complete(lint))
    }

    fn is_complete(self, lint: bool) -> bool {
        let Some(sysroot) = command::probe(self.rustc().args(["--print", "sysroot"])) else {
            return false;
        };
        let sysroot = PathBuf::from(sysroot.trim_end());
        let version = command::probe(self.rustc().arg("-vV")).unwrap_or_default();
        version.contains(LLVM)
            && sysroot
                .join("lib/rustlib/src/rust/library/core/Cargo.toml")
                .exists()
            && (!lint || sysroot.join("bin/cargo-clippy").exists())
    }

    /// Whether `cargo miri` is there; Debian's compiler never has it.
    pub(crate) fn has_miri(self) -> bool {
        self == Self::Nightly
            && command::probe(
                self.cargo("miri")
                    .arg("--version")
                    .env("RUSTUP_AUTO_INSTALL", "0"),
            )
            .is_some()
    }

    fn rustc(self) -> Command {
        match self {
            Self::Nightly => {
                let mut rustc = Command::new("rustup");
                rustc
                    .args(["run", NIGHTLY, "rustc"])
                    .env("RUSTUP_AUTO_INSTALL", "0");
                rustc
            }
            Self::Debian => Command::new(DEBIAN_RUSTC),
        }
    }

    /// `cargo SUBCOMMAND` with this compiler and its unstable flags.
    pub(crate) fn cargo(self, subcommand: &str) -> Command {
        let mut cargo = match self {
            Self::Nightly => {
                let mut cargo = Command::new("rustup");
                cargo.args(["run", NIGHTLY, "cargo"]).env_remove("RUSTC");
                cargo
            }
            Self::Debian => {
                let mut cargo = match subcommand {
                    "clippy" => Command::new(DEBIAN_CLIPPY),
                    _ => command::cargo(),
                };
                cargo
                    .env("RUSTC", Path::new(DEBIAN_RUSTC))
                    .env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
        };
        cargo.arg(subcommand).env_remove("RUSTC_WORKSPACE_WRAPPER");
        cargo
    }
}
