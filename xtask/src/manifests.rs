//! `cargo xtask manifests`: all that can be said of the chart and the manifests without a cluster.

mod api_server;
mod base;
mod chart;
mod custom;
mod object;
mod pods;
mod rights;
mod rules;
mod schemas;
mod upgrade;
mod values;

use anyhow::{Result, ensure};

use self::chart::Chart;
use crate::{
    setup::{self, Needs},
    workspace::Workspace,
};

/// Installs what is needed, and checks, or first renders anew.
pub(crate) fn run(update: bool) -> Result<()> {
    setup::run(Needs {
        manifests: true,
        ..Needs::default()
    })?;
    let workspace = Workspace::load()?;
    if update {
        base::update(&Chart::of(&workspace)?, &workspace)?;
    }
    check(&workspace)
}

/// Checks all of it.
pub(crate) fn check(workspace: &Workspace) -> Result<()> {
    let chart = Chart::of(workspace)?;
    let accepted = values::accepted(&chart, workspace)?;
    let refused = values::refused(&chart, workspace)?;
    let mut faults = Vec::new();
    for rendered in &accepted {
        let at = |fault: String| format!("{}: {fault}", rendered.name);
        faults.extend(pods::faults(&rendered.objects).into_iter().map(at));
        faults.extend(rights::faults(&rendered.objects).into_iter().map(at));
        faults.extend(custom::faults(&rendered.objects).into_iter().map(at));
    }
    let paths: Vec<_> = accepted.iter().map(|it| it.path.as_path()).collect();
    faults.extend(schemas::faults(&paths)?);
    faults.extend(base::faults(&chart, workspace)?);
    for fault in &faults {
        eprintln!("error: {fault}");
    }
    ensure!(
        faults.is_empty(),
        "the manifests have {} faults; correct deploy/chart/picket",
        faults.len()
    );
    upgrade::check(&chart, workspace)?;
    let rules = rules::check(workspace, &accepted)?;
    eprintln!(
        "manifests: {} sets of values rendered and valid, {refused} refused, {rules} expressions parsed",
        accepted.len()
    );
    Ok(())
}
