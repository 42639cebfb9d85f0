//! The published schemas of the forms of events, and the Python that holds documents against them.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};

use super::{
    plan::Step,
    python::{self, AGAIN},
};
use crate::{
    command, node,
    tools::{self, ECS, FORMS},
};

/// Made last, with all versions in it.
const DONE: &str = "versions";

/// The step that installs them, unless they are there in our versions.
pub(super) fn step() -> Result<Option<Step>> {
    let installed = fs::read_to_string(folder()?.join(DONE)).ok();
    if installed.is_some_and(|it| it == versions()) {
        return Ok(None);
    }
    Ok(Some(Step {
        what: format!("{}, by pip and npm", versions()),
        needs_root: false,
        install: Box::new(install),
    }))
}

fn install() -> Result<()> {
    let folder = folder()?;
    python::install(&folder, &FORMS)?;
    let package = format!("{}@{}", ECS.name, ECS.version);
    command::run(
        node::npm()?
            .args(["install", "--ignore-scripts", "--no-audit", "--no-fund"])
            .args(["--no-save", "--silent", "--prefix"])
            .arg(&folder)
            .arg(package),
        AGAIN,
    )?;
    // It is code that makes the table of all fields; a tenth of it is left.
    let module = folder.join("node_modules").join(ECS.name);
    let script = format!(
        "console.log(JSON.stringify(require({:?}).EcsFlat))",
        module.join("build/commonjs/ecs_flat.js")
    );
    let fields = command::read(node::node()?.args(["-e", &script]), AGAIN)?;
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    };
    write("ecs.json", &fields)?;
    let modules = folder.join("node_modules");
    fs::remove_dir_all(&modules).with_context(|| format!("cannot remove {}", modules.display()))?;
    write(DONE, &versions())
}

fn folder() -> Result<PathBuf> {
    Ok(tools::cache()?.join("tools/forms"))
}

fn versions() -> String {
    let ecs = (ECS.name, ECS.version);
    let all = FORMS.iter().chain([&ecs]);
    let all = all.map(|(name, version)| format!("{name} {version}"));
    all.collect::<Vec<_>>().join(", ")
}
