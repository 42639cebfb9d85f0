//! `cargo xtask page`: builds the collector's page, or checks that what is committed is what is built.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    command, node, prepare,
    setup::{self, Needs},
    workspace::Workspace,
};

const SOURCE: &str = "collector/web";
const BUILT: &str = "collector/web/dist";
const PICTURES: &str = "deploy/docs";

/// Installs what is needed, and builds, or only checks.
pub(crate) fn run(check_only: bool) -> Result<()> {
    setup::run(Needs {
        page: true,
        ..Needs::default()
    })?;
    let workspace = Workspace::load()?;
    if check_only {
        return check(&workspace);
    }
    npm(&workspace, &["ci"], "see what npm says")?;
    npm(&workspace, &["run", "build"], "see what Vite says")
}

/// Becomes the program that takes the pictures of it.
pub(crate) fn take_pictures() -> Result<()> {
    let workspace = prepare::lab(
        "page --screenshots",
        "it makes network namespaces and loads programs into the kernel",
        &[],
        Needs {
            browser: true,
            ..Needs::default()
        },
    )?;
    Err(command::become_command(
        Command::new(workspace.target.join("debug/pictures")).arg(workspace.root.join(PICTURES)),
    ))
}

/// Its types, its own tests, and that the files that are committed are those that are built from it.
///
/// # Errors
/// One of them is not so.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let fresh = workspace.target.join("page");
    if fresh.exists() {
        fs::remove_dir_all(&fresh).with_context(|| format!("cannot empty {}", fresh.display()))?;
    }
    npm(workspace, &["ci"], "see what npm says")?;
    npm(
        workspace,
        &["run", "check"],
        "correct what is said of types",
    )?;
    npm(workspace, &["test"], "see which test failed")?;
    let out = fresh.to_string_lossy();
    let build = ["run", "build", "--", "--outDir", &out, "--emptyOutDir"];
    npm(workspace, &build, "see what Vite says")?;
    let faults = differences(&files(&workspace.root.join(BUILT))?, &files(&fresh)?);
    for fault in &faults {
        eprintln!("error: {BUILT}/{fault}");
    }
    ensure!(
        faults.is_empty(),
        "{BUILT} is not what {SOURCE} builds; run `cargo xtask page` and commit what it writes"
    );
    eprintln!("page: {BUILT} is what {SOURCE} builds");
    Ok(())
}

fn npm(workspace: &Workspace, arguments: &[&str], next: &str) -> Result<()> {
    let source = workspace.root.join(SOURCE);
    command::run(
        node::npm()?.current_dir(source).args(arguments),
        &format!("{next}, and see {SOURCE}"),
    )
}

type Files = BTreeMap<PathBuf, Vec<u8>>;

/// Every file under `folder`, by its path in it.
fn files(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut left = vec![folder.to_owned()];
    while let Some(next) = left.pop() {
        let entries =
            fs::read_dir(&next).with_context(|| format!("cannot read {}", next.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                left.push(path);
            } else {
                let bytes =
                    fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path.strip_prefix(folder)?.to_owned(), bytes);
            }
        }
    }
    Ok(files)
}

fn differences(committed: &Files, built: &Files) -> Vec<String> {
    let mut faults = Vec::new();
    for (path, bytes) in built {
        match committed.get(path) {
            Some(same) if same == bytes => {}
            Some(_) => faults.push(format!("{}: is another one", path.display())),
            None => faults.push(format!("{}: is missing", path.display())),
        }
    }
    let stale = committed.keys().filter(|path| !built.contains_key(*path));
    faults.extend(stale.map(|path| format!("{}: is not built any more", path.display())));
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Files {
        let file = |(path, text): &(&str, &str)| (path.into(), text.as_bytes().to_vec());
        files.iter().map(file).collect()
    }

    #[test]
    fn a_file_that_is_missing_changed_or_left_over_is_told() {
        let committed = of(&[("a", "1"), ("b", "1"), ("old", "1")]);
        let built = of(&[("a", "1"), ("b", "2"), ("new", "1")]);
        assert_eq!(
            differences(&committed, &built),
            [
                "b: is another one",
                "new: is missing",
                "old: is not built any more"
            ]
        );
        assert!(differences(&built, &built).is_empty());
    }
}
