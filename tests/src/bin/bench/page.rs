//! What a reader of the page waits for, with 5,000 workloads and 100,000 anomalies to show, in a real browser.

mod cluster;
mod told;

use std::{fs, path::Path, process::Command, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::{Map, Value};
use tests::{Browser, Namespace, Process, binary, run as run_to_end};

use self::cluster::Cluster;
use crate::{report, statistics::Spread};

const LIMIT: Duration = Duration::from_secs(60);
/// Of one run of the browser.
const MEASURED_WITHIN: Duration = Duration::from_secs(280);
/// What the page promises, in milliseconds.
const PAINT: f64 = 1000.0;
const FILTER: f64 = 200.0;
const PAGES: [&str; 2] = ["127.0.0.1:7405", "127.0.0.1:7415"];

/// What each is called, and what it may take at most.
const FIGURES: [(&str, &str, Option<f64>); 10] = [
    ("graph", "first paint of the graph", Some(PAINT)),
    ("open_graph", "the same with all of it open", Some(PAINT)),
    ("list", "first paint of the list", Some(PAINT)),
    ("empty_graph", "first paint of an empty graph", None),
    ("empty_list", "first paint of an empty list", None),
    ("frame", "a frame as the open graph moves", None),
    (
        "filter",
        "a filter, from the key to the paint",
        Some(FILTER),
    ),
    ("filter_collector", "of which the collector", None),
    ("empty_filter", "a filter of nothing", None),
    ("empty_filter_collector", "of which the collector", None),
];

/// Measures in `rounds`, with and without anything to show by turns.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(crate) fn run(rounds: usize) -> Result<()> {
    let browser = Browser::new()?;
    let folder = tempfile::tempdir()?;
    let network = Namespace::new()?;
    let cluster = Cluster;
    let pods = folder.path().join("pods.yaml");
    fs::write(&pods, cluster.pod_table())?;
    let start = |name: &str, page: &str, pods: Option<&Path>| -> Result<Process> {
        let at = |what: &str| folder.path().join(format!("{name}.{what}"));
        let mut command = network.command(binary("picket-collector")?);
        command.args(["--listen", &format!("unix:{}", at("sock").display())]);
        command.args(["--metrics", "127.0.0.1:0", "--page", page]);
        if let Some(pods) = pods {
            command.arg("--pod-table").arg(pods);
        }
        command.arg("--database").arg(at("db"));
        command.args(["--retain", "none", "--log", "warn,collector::server=info"]);
        let mut collector = Process::spawn("picket-collector", &mut command)?;
        collector.wait_for_line("ready", LIMIT)?;
        Ok(collector)
    };
    let _full = start("full", PAGES[0], Some(&pods))?;
    let _empty = start("empty", PAGES[1], None)?;
    let socket = folder.path().join("full.sock");
    let counted = told::publish(&cluster, &format!("unix:{}", socket.display()))?;
    println!(
        "{} vertices, {} links, {} anomalies",
        counted.vertices, counted.links, counted.anomalies
    );

    let mut script: Command = browser.command("bench.mjs", |node| network.command(node));
    script.env("PICKET_PAGE", format!("http://{}", PAGES[0]));
    script.env("PICKET_PAGE_FLOOR", format!("http://{}", PAGES[1]));
    script.env("PICKET_PAGE_ROUNDS", rounds.to_string());
    let said = run_to_end("the page's scripts", &mut script, MEASURED_WITHIN)?.success()?;
    let measured: Value = serde_json::from_str(said.stdout.trim())
        .with_context(|| format!("the scripts said no figures but {:?}", said.stdout))?;
    // Until here its nodes were connected.
    drop(counted);

    let mut figures = Map::new();
    let mut missed = Vec::new();
    for (key, name, most) in FIGURES {
        let values = measured[key].as_array().map_or(&[][..], Vec::as_slice);
        let values: Vec<_> = values.iter().filter_map(Value::as_f64).collect();
        ensure!(!values.is_empty(), "the scripts measured no {key}");
        let spread = Spread::of(values);
        let promised = most.map_or_else(String::new, |most| format!("  at most {most}"));
        println!(
            "{name:<36} {:>7.1} ms  ({:.1} to {:.1}){promised}",
            spread.median, spread.low, spread.high
        );
        if most.is_some_and(|most| spread.median > most) {
            missed.push(name);
        }
        figures.insert(key.into(), spread.json());
    }
    figures.insert("machine".into(), report::machine()?);
    let path = report::path("page.json")?;
    fs::write(&path, format!("{:#}\n", Value::Object(figures)))?;
    println!("written to {}", path.display());
    ensure!(missed.is_empty(), "too slow: {}", missed.join(", "));
    Ok(())
}
