//! The sets of values that the chart takes, and those that it must refuse.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};

use super::{
    chart::Chart,
    object::{Object, objects},
};
use crate::{tools, workspace::Workspace};

/// Values that are not in the folder of accepted ones, because users name the file.
const OPENSHIFT: &str = "values-openshift.yaml";
/// Before what helm must say of refused values, in their first line.
const SAYS: &str = "# says: ";

/// What the chart makes of some values.
pub(super) struct Rendered {
    /// Of the file of values.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) objects: Vec<Object>,
}

/// Renders each that must be taken, and keeps what comes out for other tools to read.
pub(super) fn accepted(chart: &Chart, workspace: &Workspace) -> Result<Vec<Rendered>> {
    let folder = workspace.target.join("manifests");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut values = files(&tests(workspace).join("accepted"))?;
    values.push(chart.folder().join(OPENSHIFT));
    values
        .into_iter()
        .map(|values| {
            chart.lint(&values)?;
            let text = chart.render(&values, &[])?;
            let name = stem(&values);
            let path = folder.join(format!("{name}.yaml"));
            fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
            let objects = objects(&text).with_context(|| format!("cannot read {name}"))?;
            ensure!(!objects.is_empty(), "nothing is rendered of {name}");
            Ok(Rendered {
                name,
                path,
                objects,
            })
        })
        .collect()
}

/// Each must be refused, with the message that its first line has.
pub(super) fn refused(chart: &Chart, workspace: &Workspace) -> Result<usize> {
    let all = files(&tests(workspace).join("refused"))?;
    for values in &all {
        let text = fs::read_to_string(values)
            .with_context(|| format!("cannot read {}", values.display()))?;
        let Some(says) = text.lines().next().and_then(|it| it.strip_prefix(SAYS)) else {
            bail!("{} does not begin with `{SAYS}`", values.display());
        };
        let said = chart.refusal(values)?;
        ensure!(
            said.contains(says),
            "{} is refused, but with:\n{said}",
            values.display()
        );
    }
    Ok(all.len())
}

fn tests(workspace: &Workspace) -> PathBuf {
    workspace.root.join("deploy/chart/tests")
}

/// In order, and never none.
pub(super) fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let names =
        tools::names(folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut files: Vec<_> = names.iter().map(|name| folder.join(name)).collect();
    files.sort();
    ensure!(!files.is_empty(), "{} is empty", folder.display());
    Ok(files)
}

/// The name without its ending.
pub(super) fn stem(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
