//! `picket selftest`: every agent scans itself, and its event must come out at the other end.

mod events;

use std::{
    collections::BTreeMap,
    io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use api::v1::{self, CoverageState, Node, Timestamp};
use clap::Args;
use serde::Serialize;
use thiserror::Error;
use tokio::time::Instant;

use self::events::Events;
use crate::{
    form::FormArguments,
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
    /// How long to wait for the agents' scans and their events.
    #[arg(long, value_name = "DURATION", default_value = "90s", value_parser = humantime::parse_duration)]
    timeout: Duration,

    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Error)]
pub enum SelftestError {
    #[error(
        "{0} node(s) did not find a scan of their own, or nothing came of it; `picket doctor` says more"
    )]
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
    node: &'a str,
    result: Outcome,
    canary: Option<json::Canary<'a>>,
    /// From the first packet of the scan, by the node's clock, to its event here.
    event_after: Option<String>,
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
    /// It says that it did, and no event came.
    Undelivered,
    /// It did not scan within the time.
    NoScan,
    /// It cannot scan, or is told not to.
    NotTested,
    Away,
}

impl Outcome {
    fn of(node: &Node, fresh: bool, awaited: bool) -> Self {
        let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
        match canary {
            _ if !node.connected => Self::Away,
            None => Self::NotTested,
            Some(_) if !fresh => Self::NoScan,
            Some(canary) if canary.found && awaited => Self::Undelivered,
            Some(canary) if canary.found => Self::Found,
            Some(canary) if canary.packets_sent == 0 => Self::NotTested,
            Some(_) => Self::Missed,
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missed => "SILENT",
            Self::Undelivered => "found, but no event came",
            Self::NoScan => "no scan in time",
            Self::NotTested => "not tested",
            Self::Away => "away",
        }
    }
}

/// A node, how its test went, and after which time its event was here.
type Tested<'a> = (&'a Node, Outcome, Option<Duration>);

pub(crate) async fn run(
    server: &Server,
    arguments: &SelftestArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), SelftestError> {
    let before = server.nodes().await?.nodes;
    let before: BTreeMap<_, _> = before
        .iter()
        .map(|it| (it.name.clone(), scanned(it)))
        .collect();
    let is_fresh = |node: &Node| before.get(&node.name).copied().flatten() != scanned(node);
    let id = now
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_nanos();
    let mut events = Events::subscribe(server, &id.to_string()).await?;
    let mut asked = server.test(&id.to_string()).await?;
    let form = arguments.form.form();
    if form.is_for_people() {
        note("waiting for the agents' scans of themselves");
    }
    #[expect(clippy::disallowed_methods, reason = "this command owns its patience")]
    let patience = Instant::now() + arguments.timeout;
    let nodes = loop {
        let nodes = server.nodes().await?.nodes;
        // Whoever cannot scan sends no event of it.
        asked.retain(|name| {
            nodes
                .iter()
                .any(|it| it.name == *name && scanned(it).is_some())
        });
        let waiting = |node: &Node| {
            let awaited = asked.contains(&node.name) && events.after(&node.name).is_none();
            node.connected && scanned(node).is_some() && (awaited || !is_fresh(node))
        };
        #[expect(clippy::disallowed_methods, reason = "this command owns its patience")]
        let is_over = Instant::now() >= patience;
        if !nodes.iter().any(waiting) || is_over {
            break nodes;
        }
        events.take_for(ASK_EVERY).await;
    };
    let tested: Vec<_> = nodes
        .iter()
        .map(|node| {
            let after = events.after(&node.name);
            let awaited = asked.contains(&node.name) && after.is_none();
            (node, Outcome::of(node, is_fresh(node), awaited), after)
        })
        .collect();
    let objects = tested.iter().map(|it| json::kind("selftest", line(it)));
    form.print(output, objects, || lines(&tested))?;
    let silent = tested
        .iter()
        .filter(|(_, it, _)| *it != Outcome::Found)
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

fn line<'a>((node, outcome, after): &Tested<'a>) -> Line<'a> {
    let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
    Line {
        node: &node.name,
        result: *outcome,
        canary: canary.map(json::Canary::new),
        event_after: after.map(seconds),
        covered_pods: pods(node, CoverageState::Covered),
        host_network_pods: pods(node, CoverageState::HostNetwork),
        not_attached_pods: pods(node, CoverageState::NotAttached),
    }
}

fn lines(tested: &[Tested<'_>]) -> Vec<String> {
    let rows: Vec<_> = tested.iter().map(row).collect();
    let heading = [
        "NODE",
        "SCAN",
        "DELAY",
        "EVENT AFTER",
        "COUNTED",
        "BACK",
        "PODS",
        "REASON",
    ];
    table(heading, &rows, Palette::of_stdout())
}

fn row((node, outcome, after): &Tested<'_>) -> [String; 8] {
    let canary = node.status.as_ref().and_then(|it| it.canary.as_ref());
    let delay = canary.and_then(|it| it.delay).map(time::seconds);
    let counted = canary.map(|it| format!("{}/{}", it.packets_counted, it.packets_sent));
    let back = canary.map(|it| format!("{}/{}", it.packets_counted_back, it.packets_sent_back));
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
        after.map_or_else(dash, seconds),
        counted.unwrap_or_else(dash),
        back.unwrap_or_else(dash),
        if coverage.is_empty() {
            dash()
        } else {
            coverage.join(", ")
        },
        canary.map_or_else(String::new, |it| it.reason.clone()),
    ]
}

fn seconds(duration: Duration) -> String {
    let duration = v1::Duration::try_from(duration).unwrap_or_default();
    time::seconds(duration)
}

fn pods(node: &Node, state: CoverageState) -> usize {
    let pods = node.status.iter().flat_map(|status| &status.pods);
    pods.filter(|pod| pod.state() == state).count()
}
