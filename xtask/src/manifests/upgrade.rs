//! Rule: what the chart made once, an upgrade keeps: tokens always, the certificate as long as its names.

use anyhow::{Result, ensure};
use serde_json::Value;

use super::{
    api_server::ApiServer,
    chart::Chart,
    object::{Object, objects},
};
use crate::workspace::Workspace;

const VALUES: &str = "deploy/chart/tests/upgrade.yaml";
const TOKENS: &str = "picket-subscribers";
const CERTIFICATE: &str = "picket-collector-tls";
/// Where the agents read who signed it.
const AUTHORITY: &str = "picket-ca";

/// Renders the chart again and again, as helm does on a cluster that holds what came out first.
pub(super) fn check(chart: &Chart, workspace: &Workspace) -> Result<()> {
    let values = workspace.root.join(VALUES);
    let first = objects(&chart.render(&values, &[])?)?;
    let server = ApiServer::of(&first)?;
    let again = |set: &[&str]| objects(&chart.upgrade(&values, set, &server.url())?);

    let same = again(&["agent.slots=512"])?;
    for name in [TOKENS, CERTIFICATE, AUTHORITY] {
        ensure!(
            data(&first, name) == data(&same, name),
            "an upgrade makes {name} anew, which cuts off whoever has the old one"
        );
    }
    let renamed = again(&["collector.serverNames={picket.example}"])?;
    ensure!(
        data(&first, TOKENS) == data(&renamed, TOKENS),
        "another name of the server makes the tokens anew"
    );
    for name in [CERTIFICATE, AUTHORITY] {
        ensure!(
            data(&first, name) != data(&renamed, name),
            "another name of the server leaves {name} as it was"
        );
    }
    ensure!(
        data(&first, TOKENS) != data(&objects(&chart.render(&values, &[])?)?, TOKENS),
        "a token is the same on every cluster"
    );
    Ok(())
}

/// What the object of this name holds; null where there is none.
fn data(objects: &[Object], name: &str) -> Value {
    let holds = |it: &&Object| it.name() == name && it.0.get("data").is_some();
    let found = objects.iter().find(holds);
    found.map_or(Value::Null, |it| it.0["data"].clone())
}
