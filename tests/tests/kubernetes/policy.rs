//! How detectors are set on the cluster: what cannot be used changes nothing, and is told with its line and the reason.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Cluster, wait_for};

use crate::{
    install::{COLLECTOR, Install, PICKET},
    pods::Story,
};

/// Kubernetes brings a ConfigMap to a pod when it gets to it.
const LIMIT: Duration = Duration::from_secs(60);
const METRICS: &str = "http://picket-collector.picket.svc.cluster.local:7402/metrics";
/// Values of the chart, what the line begins with that is wrong, and why it is.
const WRONG: [(&str, &str, &str); 5] = [
    (
        "detectors: {detectors: {port_scan: [11]}}",
        "  - 11",
        "detectors.port_scan takes keys with values",
    ),
    (
        "detectors: {detectors: {port_scan: {ports: 5}}}",
        "    ports:",
        "detectors.port_scan.ports: there is no such key",
    ),
    (
        "detectors: {detectors: {port_scan: {ports_per_hour: 0}}}",
        "    ports_per_hour:",
        "detectors.port_scan.ports_per_hour = `0`: it takes a whole number from 1 to 65536",
    ),
    (
        "detectors: {scopes: [{namespaces: [a]}, {namespaces: [a, b]}]}",
        "- namespaces:",
        "may select the same pod",
    ),
    (
        "detectors: {exceptions: [{name: old, owner: me, reason: none, until: \"2020-01-01T00:00:00Z\"}]}",
        "  until:",
        "exceptions[0].until",
    ),
];

/// What is in force: what the collector tells, then what each node does.
type InForce = Vec<(String, String)>;

pub(crate) fn check(cluster: &Cluster, install: &Install, story: &Story) -> Result<()> {
    let before = wait_until_everywhere(cluster)?;
    for (values, line, reason) in WRONG {
        install.upgrade(values)?;
        let text = of_configmap(cluster)?;
        let number = text
            .lines()
            .enumerate()
            .filter(|(_, it)| it.starts_with(line));
        // Of two scopes it is the second that is wrong.
        let number = number
            .last()
            .with_context(|| format!("no line {line:?} in {text}"))?
            .0
            + 1;
        let expected = format!(
            "detectors.yaml:{number}: {}",
            if reason.starts_with("may") {
                ""
            } else {
                reason
            }
        );
        wait_for(&format!("{expected:?} and {reason:?}"), LIMIT, || {
            let shown = show(cluster, &[])?;
            Ok((shown.contains(&expected) && shown.contains(reason)).then_some(()))
        })
        .with_context(|| show(cluster, &[]).unwrap_or_default())?;
        ensure!(
            in_force(cluster)? == before,
            "{values}: another policy is in force"
        );
        ensure!(
            last_was_taken(cluster, story)? == Some(false),
            "{values}: the metric says it was taken"
        );
    }
    install.upgrade("detectors: {silence: 3s}")?;
    let after = wait_until_everywhere(cluster)?;
    ensure!(after != before, "a good policy is not taken");
    ensure!(
        last_was_taken(cluster, story)? == Some(true),
        "the metric says it was refused"
    );
    Ok(())
}

/// Waits until the collector tells what the ConfigMap has, and each agent does it.
pub(crate) fn wait_until_everywhere(cluster: &Cluster) -> Result<InForce> {
    let revision = api::policy::revision(&of_configmap(cluster)?);
    let everywhere = || {
        let in_force = in_force(cluster)?;
        let is_everywhere = in_force.len() > 1 && in_force.iter().all(|(_, it)| *it == revision);
        Ok(is_everywhere.then_some(in_force))
    };
    wait_for("the policy to be in force everywhere", LIMIT, everywhere)
        .with_context(|| show(cluster, &[]).unwrap_or_default())
}

fn of_configmap(cluster: &Cluster) -> Result<String> {
    let map = cluster.objects(&[
        "--namespace",
        PICKET,
        "get",
        "configmap",
        "picket-detectors",
    ])?;
    let text = map["data"]["detectors.yaml"].as_str();
    text.map(str::to_owned)
        .context("the ConfigMap has no detectors.yaml")
}

fn show(cluster: &Cluster, flags: &[&str]) -> Result<String> {
    let show = [&["/picket", "config", "show"], flags].concat();
    Ok(cluster
        .exec(PICKET, COLLECTOR, &show, LIMIT)?
        .success()?
        .stdout)
}

fn in_force(cluster: &Cluster) -> Result<InForce> {
    let shown = show(cluster, &["--json"])?;
    let of = |line: &str| {
        let told: Value = serde_json::from_str(line)?;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok((text(&told["node"]), text(&told["policy"]["revision"])))
    };
    shown.lines().map(of).collect()
}

/// What `config_last_reload_success` says.
fn last_was_taken(cluster: &Cluster, story: &Story) -> Result<Option<bool>> {
    let app1 = &story.app1;
    let get = ["wget", "-q", "-O", "-", METRICS];
    let served = cluster
        .exec(&app1.namespace, &app1.name, &get, LIMIT)?
        .success()?
        .stdout;
    let mut lines = served.lines();
    let value =
        lines.find_map(|it| it.strip_prefix("picket_collector_config_last_reload_success "));
    Ok(value.map(|it| it == "1"))
}
