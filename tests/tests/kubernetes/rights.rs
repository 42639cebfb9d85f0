//! What the agents may ask of the API server: nothing.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tests::Cluster;

use crate::install::{AGENTS, PICKET};

pub(crate) fn check(cluster: &Cluster) -> Result<()> {
    for namespace in [AGENTS, PICKET] {
        cluster.ask(&[
            "--namespace",
            namespace,
            "create",
            "serviceaccount",
            "fresh",
        ])?;
    }
    let agent = rights(cluster, AGENTS, "picket-agent")?;
    let fresh = rights(cluster, AGENTS, "fresh")?;
    ensure!(!fresh.is_empty(), "nothing is listed");
    ensure!(
        agent == fresh,
        "the agents may {agent:#?}, a fresh account {fresh:#?}"
    );
    let collector = rights(cluster, PICKET, "picket-collector")?;
    let fresh = rights(cluster, PICKET, "fresh")?;
    ensure!(
        collector.is_superset(&fresh) && collector != fresh,
        "the collector may {collector:#?}"
    );
    Ok(())
}

/// Of a service account, a line each; the API server lists them in any order.
fn rights(cluster: &Cluster, namespace: &str, account: &str) -> Result<BTreeSet<String>> {
    let account = format!("--as=system:serviceaccount:{namespace}:{account}");
    let listed = cluster.ask(&[
        "--namespace",
        namespace,
        "auth",
        "can-i",
        "--list",
        &account,
    ])?;
    // Its columns are as wide as the longest of their words.
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(listed.lines().map(words).collect())
}
