//! Every metric is described once, under the name of its daemon and in the form of its kind.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use tests::{Place, Story, Watch, metrics, without_root};

#[test]
fn every_metric_is_described_once_under_the_name_of_its_daemon() -> Result<()> {
    let daemons = [
        (
            "picket_agent_",
            agent::metrics::exposition()?,
            &[
                "picket_agent_dropped_events_total",
                "picket_agent_dropped_records_total",
                "picket_agent_netlink_overruns_total",
                "picket_agent_slots_used",
            ][..],
        ),
        (
            "picket_collector_",
            collector::metrics::exposition()?,
            &[
                "picket_collector_stored_events_total",
                "picket_collector_commit_duration_seconds",
            ],
        ),
    ];
    for (prefix, text, expected) in daemons {
        let described = metrics(&text);
        let names: Vec<_> = described.iter().map(|it| it.name.as_str()).collect();
        for name in expected {
            assert!(names.contains(name), "{name} is missing in {names:?}");
        }
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        for metric in described {
            assert!(metric.name.starts_with(prefix), "{metric:?}");
            assert!(
                metric.help.ends_with('.') && metric.help.len() > 10,
                "{metric:?}"
            );
            let counts = metric.name.ends_with("_total");
            assert_eq!(metric.kind == "counter", counts, "{metric:?}");
        }
    }
    Ok(())
}

/// A rate needs a zero to begin with.
#[test]
fn every_label_of_the_kernel_s_counts_is_there_from_the_start() -> Result<()> {
    let text = agent::metrics::exposition()?;
    let labels = |metric: &str, label: &str, names: Vec<&'static str>| {
        for name in names {
            let line = format!("picket_agent_{metric}_total{{{label}=\"{name}\"}} 0");
            assert!(text.lines().any(|it| it == line), "{line} is missing");
        }
    };
    labels(
        "initiating_packets",
        "class",
        detect::Class::ALL.map(detect::Class::name).to_vec(),
    );
    labels(
        "parse_failures",
        "reason",
        detect::ParseFailure::ALL
            .map(detect::ParseFailure::name)
            .to_vec(),
    );
    labels("packets", "kind", vec!["spoofed", "contained", "replies"]);
    for direction in ["from_pod", "to_pod"] {
        let line = format!("{{direction=\"{direction}\",class=\"other\"}} 0");
        assert_eq!(text.matches(&line).count(), 2, "{line}");
    }
    Ok(())
}

/// There is a series of it for each exception.
const GIVEN: &str = "picket_agent_exception_hits";

/// Of one process, with as many exceptions as have a series of their own and the one of the others.
const MOST: usize = 200;
const EXCEPTIONS: usize = 25;

/// The series of `text`, without their values, but for those.
fn series(text: &str) -> BTreeSet<&str> {
    let lines = text.lines().filter(|it| !it.starts_with('#'));
    let series = lines.filter_map(|line| Some(line.rsplit_once(' ')?.0));
    series.filter(|it| !it.starts_with(GIVEN)).collect()
}

/// The README's tables, the dashboards and the alerts are held against what the programs describe; this, whether
/// programs that run serve it, and nothing else.
#[test]
fn daemons_that_run_serve_all_that_is_described_and_nothing_else() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let config = "exceptions:\n- {name: audit, owner: security, reason: agreed, until: 2099-01-31T12:00:00Z}\n";
    let watch = Watch::start(node, &[app1, app2], config, Place::Apart)?;
    let [agent, collector] = watch.metrics()?;
    for (expected, served) in [
        (agent::metrics::exposition()?, &agent),
        (collector::metrics::exposition()?, &collector),
    ] {
        assert_eq!(metrics(&expected), metrics(served));
        let (expected, served) = (series(&expected), series(served));
        let differ: Vec<_> = expected.symmetric_difference(&served).collect();
        ensure!(differ.is_empty(), "on one side only: {differ:?}");
        let most = served.len() + EXCEPTIONS;
        ensure!(most <= MOST, "{most} series");
    }
    let hits = format!("{GIVEN}_total{{exception=\"audit\"}} 0");
    ensure!(agent.lines().any(|it| it == hits), "no {hits}");
    Ok(())
}
