//! `picket selftest`: waits until every agent has scanned itself anew, and says how that went.

use std::{collections::BTreeMap, io, time::Duration};

use api::v1::{CoverageState, Node, Timestamp};
use clap::Args;
use serde::Serialize;
use thiserror::Error;
use tokio::time::{Instant, sleep};

use crate::{
    json,
    output::{Output, note},
    palette::Palette,
    server::{Server, ServerError},
    table::table,
    time,
};

const ASK_EVERY: Duration = Duration::from_secs(1);

#[derive(Args, Debug)]
pub(crate) struct SelftestArguments {
    /// How long to wait for the agents' next scans; they scan once a minute unless told otherwise.
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    /// Print one JSON object a node and line.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Error)]
pub enum SelftestError {
    #[error("{0} node(s) did not find a scan of their own; `picket doctor` says more")]
    Silent(usize),
    #[error("no agent is connected, so nothing was tested; `picket doctor` says more")]
    Nobody,
    #[error(transparent)]
    Server(#[from] ServerError),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    kind: &'static str,
    node: &'a str,
    result: Outcome,
    canary: Option<json::Canary<'a>>,
    covered_pods: usize,
    host_network_pods: usize,
    not_attached_pods: usize,
}

/// How a node's test went.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    Found,
    Missed,
    /// It did not scan within the time.
    NoScan,
    /// It cannot scan, or is told not to.
    NotTested,
    Away,
}

impl Outcome {
    fn of(node: &Node, fresh: bool) -> Self {
        let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
        match canary {
            _ if !node.connected => Self::Away,
            None => Self::NotTested,
            Some(_) if !fresh => Self::NoScan,
            Some(canary) if canary.found => Self::Found,
            Some(canary) if canary.packets_sent == 0 => Self::NotTested,
            Some(_) => Self::Missed,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missed => "SILENT",
            Self::NoScan => "no scan in time",
            Self::NotTested => "not tested",
            Self::Away => "away",
        }
    }
}

pub(crate) async fn run(
    server: &Server,
    arguments: &SelftestArguments,
    output: &mut Output,
) -> Result<(), SelftestError> {
    let before = server.nodes().await?.nodes;
    let before: BTreeMap<_, _> = before
        .iter()
        .map(|it| (it.name.clone(), scanned(it)))
        .collect();
    let is_fresh = |node: &Node| before.get(&node.name).copied().flatten() != scanned(node);
    if !arguments.json {
        note("waiting for the agents' next scans of themselves");
    }
    #[expect(clippy::disallowed_methods, reason = "this command owns its patience")]
    let patience = Instant::now() + arguments.timeout;
    let nodes = loop {
        let nodes = server.nodes().await?.nodes;
        let waiting = |node: &Node| node.connected && scanned(node).is_some() && !is_fresh(node);
        #[expect(clippy::disallowed_methods, reason = "this command owns its patience")]
        let now = Instant::now();
        if !nodes.iter().any(waiting) || now >= patience {
            break nodes;
        }
        sleep(ASK_EVERY).await;
    };
    let outcomes: Vec<_> = nodes
        .iter()
        .map(|node| (node, Outcome::of(node, is_fresh(node))))
        .collect();
    for line in lines(&outcomes, arguments.json)? {
        output.line(&line)?;
    }
    output.flush()?;
    let silent = outcomes
        .iter()
        .filter(|(_, it)| *it != Outcome::Found)
        .count();
    if nodes.is_empty() {
        return Err(SelftestError::Nobody);
    }
    if silent > 0 {
        return Err(SelftestError::Silent(silent));
    }
    Ok(())
}

fn scanned(node: &Node) -> Option<Timestamp> {
    node.status.as_ref()?.canary.as_ref()?.at
}

fn lines(outcomes: &[(&Node, Outcome)], json: bool) -> Result<Vec<String>, io::Error> {
    if json {
        let lines = outcomes.iter().map(|(node, outcome)| {
            let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
            serde_json::to_string(&Line {
                kind: "selftest",
                node: &node.name,
                result: *outcome,
                canary: canary.map(json::Canary::new),
                covered_pods: pods(node, CoverageState::Covered),
                host_network_pods: pods(node, CoverageState::HostNetwork),
                not_attached_pods: pods(node, CoverageState::NotAttached),
            })
        });
        return Ok(lines.collect::<Result<_, _>>()?);
    }
    let rows: Vec<_> = outcomes
        .iter()
        .map(|(node, outcome)| row(node, *outcome))
        .collect();
    let heading = ["NODE", "SCAN", "DELAY", "COUNTED", "PODS", "REASON"];
    Ok(table(heading, &rows, Palette::of_stdout()))
}

fn row(node: &Node, outcome: Outcome) -> [String; 6] {
    let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
    let delay = canary.and_then(|it| it.delay).map(time::seconds);
    let counted = canary.map(|it| format!("{}/{}", it.packets_counted, it.packets_sent));
    let states = [
        (CoverageState::Covered, "covered"),
        (CoverageState::HostNetwork, "host-network"),
        (CoverageState::NotAttached, "not attached"),
    ];
    let coverage: Vec<_> = states
        .into_iter()
        .map(|(state, name)| (pods(node, state), name))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let dash = || "-".to_owned();
    [
        node.name.clone(),
        outcome.text().to_owned(),
        delay.unwrap_or_else(dash),
        counted.unwrap_or_else(dash),
        if coverage.is_empty() {
            dash()
        } else {
            coverage.join(", ")
        },
        canary.map_or_else(String::new, |it| it.reason.clone()),
    ]
}

fn pods(node: &Node, state: CoverageState) -> usize {
    let pods = node.status.iter().flat_map(|status| &status.pods);
    pods.filter(|pod| pod.state() == state).count()
}
