//! Runs a benchmark of the lab on release binaries.

use std::{collections::BTreeMap, ffi::OsString, fs, process::Command};

use anyhow::{Context as _, Result, bail};

use crate::{command, prepare, setup::Needs, workspace::Workspace};

/// Each benchmark is one file, whose first line says what it measures.
const FOLDER: &str = "tests/src/bin/bench";

/// Becomes the benchmark called `name`; without a name, lists them.
pub(crate) fn run(name: Option<&str>, arguments: &[OsString]) -> Result<()> {
    let workspace = Workspace::load()?;
    let benchmarks = benchmarks(&workspace)?;
    let Some(name) = name else {
        for (name, sentence) in benchmarks {
            println!("{name:<12} {sentence}");
        }
        return Ok(());
    };
    if !benchmarks.contains_key(name) {
        let names: Vec<_> = benchmarks.keys().map(String::as_str).collect();
        bail!(
            "there is no benchmark `{name}`; choose one of: {}",
            names.join(", ")
        );
    }
    prepare::lab(
        &format!("bench {name}"),
        "it makes network namespaces and loads programs into the kernel",
        &["--release"],
        Needs {
            browser: name == "page",
            ..Needs::default()
        },
    )?;
    Err(command::become_command(
        Command::new(workspace.target.join("release/bench"))
            .arg(name)
            .args(arguments)
            .current_dir(&workspace.root),
    ))
}

fn benchmarks(workspace: &Workspace) -> Result<BTreeMap<String, String>> {
    let folder = workspace.root.join(FOLDER);
    let read = || {
        let mut found = BTreeMap::new();
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            let Some(name) = path.file_stem().and_then(|name| name.to_str()) else {
                continue;
            };
            if name != "main" && path.is_file() {
                let text = fs::read_to_string(&path)?;
                let sentence = text.lines().next().unwrap_or_default();
                let sentence = sentence.trim_start_matches("//!").trim();
                found.insert(name.to_owned(), sentence.to_owned());
            }
        }
        Ok::<_, std::io::Error>(found)
    };
    read().with_context(|| format!("cannot list the benchmarks in {}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn benchmarks_are_found_with_what_they_measure() {
        let found = benchmarks(&Workspace::load().unwrap()).unwrap();
        assert!(found["latency"].len() > 10, "{found:?}");
        assert!(!found.contains_key("main"));

        let error = run(Some("unheard"), &[]).unwrap_err().to_string();
        assert!(error.contains("unheard"), "{error}");
        assert!(error.contains("latency"), "{error}");
    }
}
