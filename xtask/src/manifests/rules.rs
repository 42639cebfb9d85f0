//! Alerts and dashboards: their expressions parse, each alert is tried out, and each has a runbook.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Value, json};

use super::values::{Rendered, files, stem};
use crate::{
    command,
    tools::{self, PROMTOOL},
    workspace::Workspace,
};

/// What Grafana puts in before it asks.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$node", ".*")];
const NEXT: &str = "correct deploy/chart/picket/files, or deploy/chart/tests/alerts.yaml";

/// How many expressions there are.
pub(super) fn check(workspace: &Workspace, accepted: &[Rendered]) -> Result<usize> {
    let deploy = workspace.root.join("deploy");
    let scratch = workspace.target.join("manifests");
    let rules = accepted
        .iter()
        .flat_map(|it| &it.objects)
        .filter(|it| it.kind() == "PrometheusRule");
    let mut alerts = BTreeSet::new();
    for (index, rule) in rules.enumerate() {
        let path = scratch.join(format!("rules-{index}.json"));
        fs::write(&path, rule.0["spec"].to_string())?;
        promtool(&["check", "rules"], &path)?;
        for rule in rule
            .list("/spec/groups")
            .iter()
            .flat_map(|group| group["rules"].as_array().into_iter().flatten())
        {
            alerts.insert(alert(rule)?);
        }
    }
    let pages = files(&deploy.join("runbooks"))?;
    let pages: BTreeSet<_> = pages.iter().map(|it| stem(it)).collect();
    ensure!(
        alerts == pages,
        "alerts and pages of deploy/runbooks differ in {:?}",
        alerts.symmetric_difference(&pages)
    );
    promtool(&["test", "rules"], &deploy.join("chart/tests/alerts.yaml"))?;
    let dashboards = dashboards(&deploy.join("chart/picket/files/dashboards"), &scratch)?;
    Ok(alerts.len() + dashboards)
}

/// Its name, which is that of its page.
fn alert(rule: &Value) -> Result<String> {
    let Some(name) = rule["alert"].as_str() else {
        bail!("no alert: {rule}");
    };
    let page = rule["annotations"]["runbook_url"].as_str();
    ensure!(
        page.is_some_and(|it| it.ends_with(&format!("/{name}.md"))),
        "{name} names no page of its own in runbook_url, but {page:?}"
    );
    Ok(name.into())
}

fn dashboards(folder: &Path, scratch: &Path) -> Result<usize> {
    let mut rules = Vec::new();
    for path in files(folder)? {
        let text = fs::read_to_string(&path)?;
        let board: Value = serde_json::from_str(&text)
            .with_context(|| format!("{} is no JSON", path.display()))?;
        let panels = board["panels"].as_array().into_iter().flatten();
        for target in panels.flat_map(|it| it["targets"].as_array().into_iter().flatten()) {
            let expr = target["expr"].as_str();
            let expr = expr.with_context(|| format!("{}: {target}", path.display()))?;
            rules.push(json!({"record": "panel", "labels": {"n": rules.len().to_string()}, "expr": filled(expr)}));
        }
    }
    ensure!(
        !rules.is_empty(),
        "no dashboard of {} asks anything",
        folder.display()
    );
    let count = rules.len();
    let path = scratch.join("panels.json");
    let groups = json!({"groups": [{"name": "panels", "rules": rules}]});
    fs::write(&path, groups.to_string())?;
    promtool(&["check", "rules"], &path)?;
    Ok(count)
}

fn filled(expr: &str) -> String {
    VARIABLES
        .iter()
        .fold(expr.to_owned(), |expr, (name, value)| {
            expr.replace(name, value)
        })
}

fn promtool(arguments: &[&str], file: &Path) -> Result<()> {
    let mut promtool = Command::new(tools::program(PROMTOOL)?);
    command::read(promtool.args(arguments).arg(file), NEXT).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alert_without_a_page_of_its_own_is_refused() {
        let page = |url: &str| alert(&json!({"alert": "A", "annotations": {"runbook_url": url}}));
        assert_eq!(page("https://example/A.md").unwrap(), "A");
        assert!(page("https://example/B.md").is_err());
        assert!(alert(&json!({"alert": "A", "annotations": {}})).is_err());
        assert!(alert(&json!({"record": "a"})).is_err());
    }

    #[test]
    fn what_grafana_knows_is_put_in() {
        assert_eq!(
            filled("rate(a{node=~\"$node\"}[$__rate_interval])"),
            "rate(a{node=~\".*\"}[5m])"
        );
    }
}
