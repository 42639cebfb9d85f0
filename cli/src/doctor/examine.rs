//! What can be told of the collector and of all nodes together.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use api::{
    transport::valid_until,
    v1::{Finding, ListNodesResponse, Node, Verdict},
};

use crate::server::ServerError;

/// An agent says how it is once a second.
const SILENT: Duration = Duration::from_secs(60);
/// Clocks of one cluster should agree to much less; events of several nodes are put in order by them.
const CLOCK: Duration = Duration::from_secs(2);
/// The longest that an agent may wait between two scans of itself, with what one takes.
const OVERDUE: Duration = Duration::from_secs(6 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Time enough to renew.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// What was found, and where; nowhere in particular when there is no node.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Examined {
    pub(super) node: String,
    pub(super) finding: Finding,
}

impl Examined {
    fn new(node: &str, check: &str, verdict: Verdict, found: String, remedy: &str) -> Self {
        Self {
            node: node.to_owned(),
            finding: Finding {
                check: check.to_owned(),
                verdict: verdict.into(),
                found,
                remedy: remedy.to_owned(),
            },
        }
    }

    pub(super) fn is_failed(&self) -> bool {
        self.finding.verdict() == Verdict::Failed
    }
}

pub(super) fn unreachable(error: &ServerError) -> Examined {
    let found = format!("{:#}", AsError(error));
    let remedy = "see that picket-collector runs and that --server names its gRPC port";
    Examined::new("", "collector", Verdict::Failed, found, remedy)
}

/// With what caused it.
struct AsError<'a>(&'a ServerError);

impl std::fmt::Display for AsError<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut next: Option<&dyn std::error::Error> = Some(self.0);
        let mut between = "";
        while let Some(error) = next {
            write!(f, "{between}{error}")?;
            between = ": ";
            next = error.source();
        }
        Ok(())
    }
}

/// The caller's own; nothing when there is none.
pub(super) fn certificate(path: Option<&Path>, now: SystemTime) -> Option<Examined> {
    const CHECK: &str = "certificate";
    const REMEDY: &str = "make a new one with `picket certs subscriber`";
    let path = path?;
    let shown = path.display();
    let until = match valid_until(path) {
        Ok(until) => until,
        Err(error) => {
            let found = format!("{error}");
            return Some(Examined::new("", CHECK, Verdict::Failed, found, REMEDY));
        }
    };
    let (verdict, found) = match until.duration_since(now) {
        Err(_) => (Verdict::Failed, format!("{shown} has expired")),
        Ok(left) => {
            let days = left.as_secs() / DAY.as_secs();
            let verdict = if left < EXPIRES_SOON {
                Verdict::Warning
            } else {
                Verdict::Ok
            };
            (verdict, format!("{shown} expires in {days} days"))
        }
    };
    let remedy = if verdict == Verdict::Ok { "" } else { REMEDY };
    Some(Examined::new("", CHECK, verdict, found, remedy))
}

/// What the collector knows of itself and of every node.
pub(super) fn cluster(listed: &ListNodesResponse, now: SystemTime) -> Vec<Examined> {
    let nodes = &listed.nodes;
    let mut examined = vec![Examined::new(
        "",
        "collector",
        Verdict::Ok,
        format!("it answers, and knows {} node(s)", nodes.len()),
        "",
    )];
    if nodes.is_empty() {
        examined.push(Examined::new(
            "",
            "agents",
            Verdict::Failed,
            "no agent has connected since the collector started".to_owned(),
            "see that picket-agent runs on the nodes, and that its --collector names this collector",
        ));
    }
    examined.extend(versions(nodes));
    if let Some(error) = listed.policy.as_ref().map(|it| &it.error)
        && !error.is_empty()
    {
        examined.push(Examined::new(
            "",
            "policy",
            Verdict::Failed,
            format!("the collector refused a policy, and the one before stays: {error}"),
            "correct the ConfigMap; `picket config validate FILE` tells all that is wrong",
        ));
    }
    for node in nodes {
        examined.extend(of_node(node, listed, now));
    }
    examined
}

fn versions(nodes: &[Node]) -> Option<Examined> {
    let mut versions: Vec<_> = nodes.iter().map(|it| it.agent_version.as_str()).collect();
    versions.sort_unstable();
    versions.dedup();
    let own = env!("CARGO_PKG_VERSION");
    match versions[..] {
        [] => None,
        [one] if one == own => {
            let found = format!("all agents are of {one}, as is picket");
            Some(Examined::new("", "versions", Verdict::Ok, found, ""))
        }
        _ => Some(Examined::new(
            "",
            "versions",
            Verdict::Warning,
            format!("agents are of {}, picket of {own}", versions.join(", ")),
            "finish the roll-out: neighbouring versions understand each other, others need not",
        )),
    }
}

fn of_node(node: &Node, listed: &ListNodesResponse, now: SystemTime) -> Vec<Examined> {
    let mut examined = vec![connection(node, now)];
    let finding = |finding: &Finding| Examined {
        node: node.name.clone(),
        finding: finding.clone(),
    };
    let Some(status) = &node.status else {
        return examined;
    };
    examined.extend(status.findings.iter().map(finding));
    examined.extend(clock(node));
    if let Some(policy) = &status.policy {
        let told = listed.policy.as_ref();
        let stale = told.is_some_and(|told| told.revision != policy.revision);
        let (verdict, found, remedy) = match (&policy.error[..], stale) {
            ("", false) => (Verdict::Ok, "what is told is in force".to_owned(), ""),
            ("", true) => (
                Verdict::Warning,
                "it is not what the collector tells now".to_owned(),
                "wait a moment; then see that the agent is connected",
            ),
            (error, _) => (
                Verdict::Failed,
                error.to_owned(),
                "upgrade the agent when it is older than the policy; otherwise correct the file",
            ),
        };
        examined.push(Examined::new(&node.name, "policy", verdict, found, remedy));
    }
    if let Some(at) = status.canary.as_ref().and_then(|canary| canary.at)
        && let Ok(at) = SystemTime::try_from(at)
        && now.duration_since(at).is_ok_and(|age| age > OVERDUE)
    {
        examined.push(Examined::new(
            &node.name,
            "canary",
            Verdict::Failed,
            "the agent has not scanned itself for minutes".to_owned(),
            "see the agent's log, and restart it",
        ));
    }
    examined
}

fn connection(node: &Node, now: SystemTime) -> Examined {
    const CHECK: &str = "agent";
    let seen = node.last_seen.and_then(|it| SystemTime::try_from(it).ok());
    let age = seen.and_then(|it| now.duration_since(it).ok());
    let is_silent = age.is_some_and(|age| age > SILENT);
    if node.connected && !is_silent {
        let found = format!("connected, of version {}", node.agent_version);
        return Examined::new(&node.name, CHECK, Verdict::Ok, found, "");
    }
    let seconds = age.map_or(0, |age| age.as_secs());
    let how = if node.connected { "silent" } else { "away" };
    let found = format!(
        "{how} for {}",
        humantime::format_duration(Duration::from_secs(seconds))
    );
    let remedy =
        "see whether the node is up and its picket-agent runs; its log says why it cannot connect";
    Examined::new(&node.name, CHECK, Verdict::Failed, found, remedy)
}

fn clock(node: &Node) -> Option<Examined> {
    let ahead = node.clock_ahead?;
    let seconds = ahead.seconds as f64 + f64::from(ahead.nanos) / 1e9;
    let how = if seconds < 0.0 { "behind" } else { "ahead of" };
    let found = format!("{:.3} s {how} the collector's", seconds.abs());
    Some(if seconds.abs() > CLOCK.as_secs_f64() {
        let remedy =
            "let the node keep its time by NTP: events of several nodes are put in order by it";
        Examined::new(&node.name, "clock", Verdict::Warning, found, remedy)
    } else {
        Examined::new(&node.name, "clock", Verdict::Ok, found, "")
    })
}
