//! What the rules look at: the text files of the work tree, and what each package depends on.

use std::{fmt, fs, io, process::Command};

use anyhow::{Context as _, Result};

use crate::{command, workspace::Workspace};

#[derive(Default)]
pub(super) struct Tree {
    /// Ordered by path.
    pub(super) files: Vec<File>,
    /// Package name and the name of one that it depends on, in any way.
    pub(super) dependencies: Vec<(String, String)>,
}

pub(super) struct File {
    /// Relative to the workspace, with `/`.
    pub(super) path: String,
    /// Empty for what is not UTF-8.
    pub(super) text: String,
}

/// A place that breaks a rule.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Fault {
    pub(super) path: String,
    /// From 1; 0 is the whole file.
    pub(super) line: usize,
    pub(super) message: String,
    pub(super) is_warning: bool,
}

impl Tree {
    /// Reads every file that git knows or would add.
    pub(super) fn read(workspace: &Workspace) -> Result<Self> {
        let names = command::read(
            Command::new("git").current_dir(&workspace.root).args([
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
            ]),
            "run it in a git work tree",
        )?;
        let mut names: Vec<_> = names.split_terminator('\0').collect();
        names.sort_unstable();
        names.dedup();
        let mut files = Vec::new();
        for name in names {
            let text = match fs::read(workspace.root.join(name)) {
                Ok(bytes) => String::from_utf8(bytes).unwrap_or_default(),
                // Deleted, and not yet committed.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error).with_context(|| format!("cannot read {name}")),
            };
            files.push(File {
                path: name.into(),
                text,
            });
        }
        let dependencies = workspace
            .packages
            .iter()
            .flat_map(|package| {
                package
                    .dependencies
                    .iter()
                    .map(|dependency| (package.name.clone(), dependency.name.clone()))
            })
            .collect();
        Ok(Self {
            files,
            dependencies,
        })
    }

    /// Rust files, but generated ones.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files
            .iter()
            .filter(|file| file.path.ends_with(".rs") && !file.path.contains("/generated/"))
    }
}

impl Fault {
    pub(super) fn new(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            line,
            message: message.into(),
            is_warning: false,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_warning { "warning" } else { "error" };
        match self.line {
            0 => write!(f, "{kind}: {}: {}", self.path, self.message),
            line => write!(f, "{kind}: {}:{line}: {}", self.path, self.message),
        }
    }
}

#[cfg(test)]
impl Tree {
    /// A tree of these files.
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self {
            files: files
                .iter()
                .map(|(path, text)| File {
                    path: (*path).into(),
                    text: (*text).into(),
                })
                .collect(),
            dependencies: Vec::new(),
        }
    }
}
