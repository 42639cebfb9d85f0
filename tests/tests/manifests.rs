//! What the chart, its alerts and its dashboards say of the programs is true of them.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::{Command, CommandFactory as _, Parser as _};
use serde_json::Value;
use tests::metrics;

/// What Prometheus itself puts on what it scrapes, or our monitors.
const TARGET_LABELS: [&str; 4] = ["job", "node", "pod", "le"];
/// Labels whose values people give: before they do, there is no such series. That a daemon serves them then, the
/// tests of the outputs see.
const GIVEN_LABELS: [(&str, &str); 2] = [
    ("picket_collector_output_dead_letters_total", "output"),
    ("picket_collector_output_dead_letters_total", "reason"),
];
/// What every page tells.
const SECTIONS: [&str; 3] = ["## What it means", "## What is lost", "## What to do"];

fn deploy(path: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy");
    root.join(path)
}

fn read(path: &str) -> Result<String> {
    fs::read_to_string(deploy(path)).with_context(|| format!("cannot read deploy/{path}"))
}

fn yaml(path: &str) -> Result<Vec<Value>> {
    serde_saphyr::from_multiple(&read(path)?).with_context(|| format!("deploy/{path}"))
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

/// Every alert with its expression.
fn alerts() -> Result<Vec<(String, String)>> {
    let files = yaml("chart/picket/files/alerts.yaml")?;
    let groups = files.iter().flat_map(|it| list(it, "groups"));
    let rules = groups.flat_map(|it| list(it, "rules"));
    let alerts: Vec<_> = rules
        .map(|it| (text(it, "alert").to_owned(), text(it, "expr").to_owned()))
        .collect();
    ensure!(!alerts.is_empty(), "there are no alerts");
    Ok(alerts)
}

/// Every panel of every dashboard with what it asks.
fn panels() -> Result<Vec<(String, String)>> {
    let mut panels = Vec::new();
    for entry in fs::read_dir(deploy("chart/picket/files/dashboards"))? {
        let board: Value = serde_json::from_str(&fs::read_to_string(entry?.path())?)?;
        for panel in list(&board, "panels") {
            for target in list(panel, "targets") {
                let place = format!("{}: {}", text(&board, "title"), text(panel, "title"));
                panels.push((place, text(target, "expr").to_owned()));
            }
        }
    }
    ensure!(panels.len() > 20, "there are few panels: {}", panels.len());
    Ok(panels)
}

/// What is served, by the names that queries use: each label with its values.
struct Served(BTreeMap<String, BTreeMap<String, BTreeSet<String>>>);

impl Served {
    fn read() -> Result<Self> {
        let mut served: BTreeMap<String, BTreeMap<_, BTreeSet<_>>> = BTreeMap::new();
        for text in [
            agent::metrics::exposition()?,
            collector::metrics::exposition()?,
        ] {
            for metric in metrics(&text) {
                let histogram = ["_bucket", "_sum", "_count"].as_slice();
                let suffixes = if metric.kind == "histogram" {
                    histogram
                } else {
                    &[""]
                };
                for suffix in suffixes {
                    served
                        .entry(format!("{}{suffix}", metric.name))
                        .or_default();
                }
            }
            for line in text.lines().filter(|it| !it.starts_with('#')) {
                let (name, selector) = split(line);
                let labels = served.entry(name.into()).or_default();
                for (label, value) in selector {
                    labels.entry(label).or_default().insert(value);
                }
            }
        }
        for (name, label) in GIVEN_LABELS {
            let labels = served.entry(name.to_owned()).or_default();
            labels.entry(label.to_owned()).or_default();
        }
        Ok(Self(served))
    }

    /// What `expr` names and nobody serves.
    fn faults(&self, expr: &str) -> Vec<String> {
        let mut faults = Vec::new();
        let mut grouped: BTreeSet<_> = TARGET_LABELS.into_iter().map(str::to_owned).collect();
        let used = used(expr);
        if used.is_empty() {
            faults.push("names no metric of ours".into());
        }
        for (name, selector) in used {
            let known = BTreeMap::new();
            let labels = match (self.0.get(&name), name.as_str()) {
                (Some(labels), _) => labels,
                (None, "up") => &known,
                _ => {
                    faults.push(format!("nobody serves {name}"));
                    continue;
                }
            };
            grouped.extend(labels.keys().cloned());
            for (label, value) in selector {
                let is_target = TARGET_LABELS.contains(&label.as_str());
                if !is_target && !labels.get(&label).is_some_and(|it| it.contains(&value)) {
                    faults.push(format!("{name} has no {label}=\"{value}\""));
                }
            }
        }
        for rest in expr.split("by (").skip(1) {
            let labels = rest.split(')').next().unwrap_or("").split(',');
            for label in labels.map(str::trim).filter(|it| !grouped.contains(*it)) {
                faults.push(format!("none of its metrics has the label {label}"));
            }
        }
        faults
    }
}

type Selector = Vec<(String, String)>;

/// The metrics that `expr` names, with what it asks of their labels.
fn used(expr: &str) -> Vec<(String, Selector)> {
    let starts = ["picket_", "up{"].into_iter();
    let mut starts: Vec<_> = starts
        .flat_map(|word| expr.match_indices(word).map(|(at, _)| at))
        .filter(|&at| !expr[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
        .collect();
    starts.sort_unstable();
    starts
        .into_iter()
        .map(|at| {
            let (name, selector) = split(&expr[at..]);
            (name.to_owned(), selector)
        })
        .collect()
}

/// A metric's name and selector, at the start of `text`.
fn split(text: &str) -> (&str, Selector) {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let (name, rest) = text.split_at(end.unwrap_or(text.len()));
    let inside = rest.strip_prefix('{').and_then(|it| it.split('}').next());
    let labels = inside.unwrap_or("").split(',').filter_map(|it| {
        let (label, value) = it.split_once('=')?;
        let value = value.trim_start_matches('~').trim_matches('"');
        Some((label.to_owned(), value.to_owned()))
    });
    (name, labels.collect())
}

#[test]
fn alerts_and_dashboards_ask_for_what_the_programs_serve() -> Result<()> {
    let served = Served::read()?;
    for (place, expr) in alerts()?.into_iter().chain(panels()?) {
        let faults = served.faults(&expr);
        ensure!(
            faults.is_empty(),
            "{place}: `{expr}`: {}",
            faults.join("; ")
        );
    }
    Ok(())
}

#[test]
fn what_nobody_serves_is_found() -> Result<()> {
    let served = Served::read()?;
    for (expr, expected) in [
        (
            "picket_agent_slot_used > 1",
            "nobody serves picket_agent_slot_used",
        ),
        (
            "picket_agent_drain_seconds > 1",
            "nobody serves picket_agent_drain_seconds",
        ),
        (
            "rate(picket_agent_secrets_reread_total{outcome=\"brokn\"}[5m])",
            "no outcome=\"brokn\"",
        ),
        ("sum by (nod) (picket_agent_slots_used)", "the label nod"),
        ("vector(1)", "no metric of ours"),
    ] {
        let faults = served.faults(expr).concat();
        ensure!(faults.contains(expected), "{expr}: {faults}");
    }
    Ok(())
}

/// The healthy world must be one in which each alert could fire.
#[test]
fn each_alert_is_tried_in_a_world_of_its_own_and_in_the_healthy_one() -> Result<()> {
    let file = yaml("chart/tests/alerts.yaml")?;
    let worlds: Vec<_> = file.iter().flat_map(|it| list(it, "tests")).collect();
    let series = |world: &Value| -> BTreeSet<String> {
        let series = list(world, "input_series").iter();
        series
            .map(|it| split(text(it, "series")).0.to_owned())
            .collect()
    };
    let asked = |world: &Value| world["promql_expr_test"][0]["exp_samples"].clone();
    let world = |name: &str| {
        let found = worlds.iter().find(|it| text(it, "name") == name);
        found.with_context(|| format!("chart/tests/alerts.yaml has no world {name}"))
    };
    let healthy = world("healthy")?;
    ensure!(
        asked(healthy) == Value::Array(Vec::new()),
        "something fires"
    );
    for (alert, expr) in alerts()? {
        let names: BTreeSet<_> = used(&expr).into_iter().map(|(name, _)| name).collect();
        ensure!(
            names.is_subset(&series(healthy)),
            "{alert}: the healthy world lacks {names:?}"
        );
        let own = world(&alert)?;
        let labels = format!("{{alertname=\"{alert}\"}}");
        ensure!(
            text(&asked(own)[0], "labels") == labels
                && list(&own["promql_expr_test"][0], "exp_samples").len() == 1,
            "the world {alert} does not ask for {labels} alone"
        );
    }
    Ok(())
}

#[test]
fn every_runbook_tells_the_same_and_its_links_lead_somewhere() -> Result<()> {
    for (alert, _) in alerts()? {
        let page = read(&format!("runbooks/{alert}.md"))?;
        let mut lines = page.lines();
        ensure!(lines.next() == Some(&format!("# {alert}")), "{alert}");
        for section in SECTIONS {
            ensure!(lines.any(|it| it == section), "{alert}: no {section}");
        }
        for link in page
            .split("](")
            .skip(1)
            .filter_map(|it| it.split(')').next())
        {
            ensure!(deploy("runbooks").join(link).exists(), "{alert}: {link}");
        }
    }
    Ok(())
}

/// The first container of the object of this kind.
fn container(file: &str, kind: &str) -> Result<Value> {
    let objects = yaml(file)?;
    let found = objects.iter().find(|it| it["kind"] == kind);
    let found = found.with_context(|| format!("{file} has no {kind}"))?;
    Ok(found["spec"]["template"]["spec"]["containers"][0].clone())
}

#[test]
fn the_programs_understand_what_the_manifests_tell_them() -> Result<()> {
    let agent = container("kubernetes/agent.yaml", "DaemonSet")?;
    let collector = container("kubernetes/collector.yaml", "Deployment")?;
    let words = |name: &str, container: &Value| -> Vec<String> {
        let arguments = list(container, "args").iter().filter_map(Value::as_str);
        [name]
            .into_iter()
            .chain(arguments)
            .map(str::to_owned)
            .collect()
    };
    let agent = words("picket-agent", &agent);
    ensure!(agent.len() > 5, "{agent:?}");
    // What should hold for a node whose collector is away when its agent starts.
    for kept in ["spool", "baselines", "identity", "policy"] {
        let below = format!("--{kept}=/var/lib/picket/{kept}");
        let is_kept = agent.iter().any(|it| it.starts_with(&below));
        ensure!(is_kept, "the agent does not keep its {kept}");
    }
    agent::config::Args::try_parse_from(agent)?;
    let collector = words("picket-collector", &collector);
    ensure!(collector.len() > 5, "{collector:?}");
    collector::config::Flags::try_parse_from(collector)?;
    Ok(())
}

#[test]
fn the_limit_of_memory_holds_the_maps_of_all_slots() -> Result<()> {
    let agent = container("kubernetes/agent.yaml", "DaemonSet")?;
    let slots = list(&agent, "args").iter().filter_map(Value::as_str);
    let slots = slots.filter_map(|it| it.strip_prefix("--slots=")).next();
    let slots: usize = slots.context("the agent is not told its slots")?.parse()?;
    let limit = text(&agent["resources"]["limits"], "memory");
    let limit: usize = limit.trim_end_matches("Mi").parse()?;
    // And beside them what README tells of events, evidence of busy pods, and the program.
    let needed = slots * (size_of::<agent_common::Slot>() + 400_000) + 32_000_000;
    ensure!(limit << 20 > needed, "{limit} MiB for {slots} slots");
    Ok(())
}

#[test]
fn what_the_chart_takes_as_settings_are_settings() -> Result<()> {
    let schema: Value = serde_json::from_str(&read("chart/picket/values.schema.json")?)?;
    let check = |room: &str, command: &Command, others: &[&str]| -> Result<()> {
        let keys = &schema["properties"][room]["properties"]["config"]["properties"];
        let keys: Vec<_> = keys
            .as_object()
            .into_iter()
            .flat_map(|it| it.keys())
            .collect();
        ensure!(!keys.is_empty(), "{room} takes no flags");
        for key in keys.into_iter().filter(|it| !others.contains(&it.as_str())) {
            let flag = key.replace('_', "-");
            let is_flag = command
                .get_arguments()
                .any(|it| it.get_long() == Some(&flag));
            ensure!(is_flag, "{room}.config.{key} is no flag");
        }
        Ok(())
    };
    let keys = schema["properties"]["detectors"]["properties"].as_object();
    let keys: BTreeSet<_> = keys.into_iter().flat_map(|it| it.keys()).collect();
    let known = api::policy::KEYS
        .iter()
        .map(|it| (*it).to_owned())
        .collect::<Vec<_>>();
    ensure!(keys == known.iter().collect(), "detectors takes {keys:?}");
    check("agent", &agent::config::Args::command(), &[])?;
    check(
        "collector",
        &collector::config::Flags::command(),
        &["correlate"],
    )
}
