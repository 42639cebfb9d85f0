//! What the agents may ask of the API server: nothing.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tests::Cluster;

use crate::install::PICKET;

pub(crate) fn check(cluster: &Cluster) -> Result<()> {
    cluster.ask(&["--namespace", PICKET, "create", "serviceaccount", "fresh"])?;
    let agent = rights(cluster, "picket-agent")?;
    let fresh = rights(cluster, "fresh")?;
    ensure!(!fresh.is_empty(), "nothing is listed");
    ensure!(
        agent == fresh,
        "the agents may {agent:#?}, a fresh account {fresh:#?}"
    );
    let collector = rights(cluster, "picket-collector")?;
    ensure!(
        collector.is_superset(&fresh) && collector != fresh,
        "the collector may {collector:#?}"
    );
    Ok(())
}

/// Of a service account, a line each; the API server lists them in any order.
fn rights(cluster: &Cluster, account: &str) -> Result<BTreeSet<String>> {
    let account = format!("--as=system:serviceaccount:{PICKET}:{account}");
    let listed = cluster.ask(&["--namespace", PICKET, "auth", "can-i", "--list", &account])?;
    Ok(listed.lines().map(str::to_owned).collect())
}
