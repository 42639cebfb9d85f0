//! What the README shows of code, flags and metrics is what they are; `UPDATE=1` rewrites it.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, ensure};
use clap::{Arg, Command, CommandFactory as _};
use detect::{Quantity, Settings};
use serde_json::Value;
use tests::{Metric, metrics};

const END: &str = "<!-- end -->";

/// What every page of a detector tells, in this order.
const SECTIONS: [&str; 7] = [
    "## Why",
    "## Evidence",
    "## Severity",
    "## Thresholds",
    "## What evades it",
    "## Runbook",
    "## ATT&CK",
];

/// The README, that of the installation, and the page of each detector.
fn pages() -> Vec<String> {
    let detectors = detect::DETECTORS.iter();
    let mut pages = vec!["README.md".to_owned(), "deploy/README.md".to_owned()];
    pages.extend(detectors.map(|it| format!("detect/reference/{it}.md")));
    let correlations = ["distributed_scan", "workload_sweep", "dependency_down"];
    pages.extend(correlations.map(|it| format!("collector/reference/{it}.md")));
    pages
}

#[test]
fn the_pages_show_what_is_there() -> Result<()> {
    let root = root();
    for page in pages() {
        let path = root.join(&page);
        let old = fs::read_to_string(&path).with_context(|| page.clone())?;
        let fresh = rendered(&old, &root)?;
        if env::var_os("UPDATE").is_some() {
            fs::write(&path, &fresh)?;
            continue;
        }
        let line = old
            .lines()
            .zip(fresh.lines())
            .find(|(old, fresh)| old != fresh);
        ensure!(
            old == fresh,
            "{page} is stale: run `UPDATE=1 cargo test -p tests --test readme`; first at {line:?}"
        );
    }
    Ok(())
}

#[test]
fn every_detector_has_its_page() -> Result<()> {
    for detector in detect::DETECTORS {
        let text = fs::read_to_string(root().join(format!("detect/reference/{detector}.md")))?;
        let mut lines = text.lines();
        ensure!(lines.next() == Some(&format!("# {detector}")), "{detector}");
        for section in SECTIONS {
            ensure!(
                lines.any(|line| line == section),
                "the page of {detector} has no {section}, or not at its place"
            );
        }
        let marker = format!("<!-- thresholds:{detector} -->");
        ensure!(
            text.contains(&marker),
            "the page of {detector} has no {marker}"
        );
        for id in text
            .split_whitespace()
            .filter(|word| word.starts_with("T1"))
        {
            let id = id.trim_end_matches([',', ';', '.', ':']);
            let plain = id[1..].chars().all(|c| c.is_ascii_digit() || c == '.');
            ensure!(plain, "{detector}: {id} is no ATT&CK id");
        }
    }
    Ok(())
}

#[test]
fn every_link_leads_somewhere() -> Result<()> {
    let root = root();
    for page in pages() {
        let path = root.join(&page);
        let text = fs::read_to_string(&path)?;
        let folder = path.parent().context("a page is in a folder")?;
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split([')', '#']).next());
        for target in targets.filter(|it| !it.is_empty() && !it.starts_with("https://")) {
            ensure!(
                folder.join(target).exists(),
                "{page} links to {target}, which is not there"
            );
        }
    }
    Ok(())
}

/// What is shown of an event as JSON, by the message whose fields it must have.
#[test]
fn the_event_that_is_shown_has_every_field() -> Result<()> {
    let text = fs::read_to_string(root().join("README.md"))?;
    let shown = text.split("```json\n").nth(1);
    let shown = shown.and_then(|it| it.split("```").next());
    let shown: Value = serde_json::from_str(shown.context("README.md shows no JSON")?)?;
    let proto = fs::read_to_string(root().join("api/proto/picket/v1/event.proto"))?;
    for (message, pointer) in [
        ("Event", ""),
        ("EventId", "/id"),
        ("Endpoint", "/source"),
        ("Target", "/targets/0"),
        ("Endpoint", "/targets/0/endpoint"),
        ("Criterion", "/crossed"),
        ("PortCounts", "/ports"),
        ("Coverage", "/coverage"),
    ] {
        let object = shown.pointer(pointer).and_then(Value::as_object);
        let object = object.with_context(|| format!("README.md shows no {pointer}"))?;
        let keys: BTreeSet<_> = object.keys().map(String::as_str).collect();
        let mut fields = fields(&proto, message);
        if pointer.is_empty() {
            fields.insert("kind");
        }
        ensure!(
            keys == fields,
            "{pointer} has {keys:?}, and {message} {fields:?}"
        );
    }
    Ok(())
}

/// The names of the fields of a message.
fn fields<'a>(proto: &'a str, message: &str) -> BTreeSet<&'a str> {
    let begin = format!("message {message} {{");
    let lines = proto.lines().skip_while(|it| *it != begin).skip(1);
    let lines = lines.take_while(|it| *it != "}").map(str::trim);
    let fields = lines.filter(|it| !it.starts_with("//"));
    let names = fields.filter_map(|it| it.split_once(" = ")?.0.rsplit(' ').next());
    names.collect()
}

#[test]
fn what_a_slot_takes_is_told_right() -> Result<()> {
    let told = format!(
        "slots of {} kB",
        (size_of::<agent_common::Slot>() + 500) / 1000
    );
    let agent = command("picket-agent")?;
    let slots = agent
        .get_arguments()
        .find(|it| it.get_long() == Some("slots"));
    let (help, _) = help(slots.context("picket-agent has no --slots")?);
    let manifest = root().join("deploy/kubernetes/agent.yaml");
    let manifest = fs::read_to_string(manifest)?;
    let size = told.trim_start_matches("slots of ");
    ensure!(
        help.ends_with(size),
        "the help of --slots does not say {size}: {help}"
    );
    ensure!(manifest.contains(&told), "agent.yaml does not say {told}");
    Ok(())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// `text` with fresh content between each marker `<!-- NAME -->` and its end.
fn rendered(text: &str, root: &Path) -> Result<String> {
    let mut fresh = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        fresh.push_str(line);
        fresh.push('\n');
        let marker = line
            .strip_prefix("<!-- ")
            .and_then(|line| line.strip_suffix(" -->"));
        if let Some(name) = marker {
            let content = content(name, root).with_context(|| format!("at the marker {name}"))?;
            fresh.push_str(&content);
            fresh.push_str(END);
            fresh.push('\n');
            lines
                .find(|line| *line == END)
                .with_context(|| format!("{name} has no {END}"))?;
        }
    }
    Ok(fresh)
}

fn content(name: &str, root: &Path) -> Result<String> {
    match name.split_once(':').unwrap_or((name, "")) {
        ("code", path) => {
            let code = fs::read_to_string(root.join(path))?;
            Ok(format!("```rust\n{code}```\n"))
        }
        ("ports", _) => ports(),
        ("detectors", _) => Ok(detectors()),
        ("thresholds", detector) => thresholds(detector),
        ("flags", command) => Ok(flags(&self::command(command)?)),
        ("metrics", "picket-agent") => Ok(metric_table(&agent::metrics::exposition()?)),
        ("metrics", "picket-collector") => Ok(metric_table(&collector::metrics::exposition()?)),
        _ => anyhow::bail!("nobody knows what belongs here"),
    }
}

fn command(name: &str) -> Result<Command> {
    let mut words = name.split(' ');
    let mut command = match words.next() {
        Some("picket") => cli::Arguments::command(),
        Some("picket-agent") => agent::config::Args::command(),
        Some("picket-collector") => collector::config::Flags::command(),
        _ => anyhow::bail!("there is no program {name}"),
    };
    for word in words {
        command = command
            .find_subcommand(word)
            .with_context(|| format!("there is no command {name}"))?
            .clone();
    }
    Ok(command)
}

fn flags(command: &Command) -> String {
    let rows = command.get_arguments().filter_map(|argument| {
        let flag = argument.get_long()?;
        let values = argument.get_value_names().unwrap_or_default().join(" ");
        let takes_value = argument.get_action().takes_values();
        let value = if takes_value {
            format!(" {values}")
        } else {
            String::new()
        };
        let environment = argument.get_env().map(|name| name.to_string_lossy());
        let (help, default) = help(argument);
        Some([
            format!("`--{flag}{value}`"),
            environment.map_or_else(String::new, |name| format!("`{name}`")),
            default,
            help,
        ])
    });
    table(["flag", "environment", "default", "what it does"], rows)
}

/// The first paragraph of the help, and the default, which the help itself may tell.
fn help(argument: &Arg) -> (String, String) {
    let help = argument
        .get_help()
        .map(ToString::to_string)
        .unwrap_or_default();
    let help = help.trim().trim_end_matches('.');
    let told = help
        .strip_suffix(']')
        .and_then(|help| help.split_once(" [default: "));
    let (help, told) = told.unwrap_or((help, ""));
    let defaults = argument.get_default_values();
    let known: Vec<_> = defaults
        .iter()
        .map(|value| value.to_string_lossy())
        .collect();
    let default = match known.is_empty() || !argument.get_action().takes_values() {
        true => told.to_owned(),
        false => known.join(" "),
    };
    // A value, and not the description of one.
    match default.is_empty() || default.contains(' ') {
        true => (help.to_owned(), default),
        false => (help.to_owned(), format!("`{default}`")),
    }
}

fn ports() -> Result<String> {
    let programs = [
        (
            "picket-collector",
            "listen",
            "gRPC: `Events`, `Anomalies`, `Graph`, `Detectors`, `Nodes`, `Actions`, `Ingest`, health, reflection",
        ),
        (
            "picket-collector",
            "metrics",
            "HTTP: `/metrics`, `/healthz`, `/readyz`",
        ),
        ("picket-collector", "page", "HTTP: the page"),
        (
            "picket-agent",
            "listen",
            "gRPC: `Events`, `Nodes` of its own node, health, reflection",
        ),
        (
            "picket-agent",
            "metrics",
            "HTTP: `/metrics`, `/healthz`, `/readyz`",
        ),
    ];
    let mut rows = Vec::new();
    for (program, flag, what) in programs {
        let command = command(program)?;
        let mut arguments = command.get_arguments();
        let argument = arguments
            .find(|argument| argument.get_long() == Some(flag))
            .with_context(|| format!("{program} has no --{flag}"))?;
        rows.push([
            help(argument).1,
            format!("`{program}`"),
            format!("`--{flag}`"),
            what.to_owned(),
        ]);
    }
    Ok(table(
        ["default", "program", "flag", "what"],
        rows.into_iter(),
    ))
}

/// Every detector, with its page.
fn detectors() -> String {
    let rows = detect::DETECTORS.iter().map(|detector| {
        let about = detect::about(detector).unwrap_or_default();
        let about = about.trim_end_matches('.').to_owned();
        let link = format!("[`{detector}`](detect/reference/{detector}.md)");
        [link, about]
    });
    table(["detector", "what it finds"], rows)
}

/// Every threshold of a detector.
fn thresholds(detector: &str) -> Result<String> {
    let quantity = |quantity| match quantity {
        Quantity::Count(count) => count.to_string(),
        Quantity::Duration(duration) => {
            let (days, rest) = (duration.as_secs() / 86_400, duration.as_secs() % 86_400);
            match (days, rest) {
                (2.., 0) => format!("{days}days"),
                _ => humantime::format_duration(duration).to_string(),
            }
        }
    };
    let rows = Settings::limits(detector)?.into_iter().map(|limit| {
        [
            format!("`{}`", limit.key),
            quantity(limit.default),
            format!("{} to {}", quantity(limit.least), quantity(limit.most)),
            limit.about.to_owned(),
        ]
    });
    let heading = ["key", "default", "range", "what it bounds"];
    Ok(table(heading, rows))
}

fn metric_table(exposition: &str) -> String {
    let row = |metric: Metric| {
        let help = metric.help.trim_end_matches('.').to_owned();
        [format!("`{}`", metric.name), metric.kind, help]
    };
    let rows = metrics(exposition).into_iter().map(row);
    table(["metric", "kind", "what it tells"], rows)
}

fn table<const N: usize>(heading: [&str; N], rows: impl Iterator<Item = [String; N]>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let mut table = line(&heading.map(str::to_owned));
    table.push_str(&format!("|{}\n", "---|".repeat(N)));
    for row in rows {
        table.push_str(&line(&row.map(|cell| cell.replace('|', "\\|"))));
    }
    table
}
