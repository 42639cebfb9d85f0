//! Lines in a file that is rotated, several outputs at once, and what retention took.

use std::{fs, path::Path};

use anyhow::{Context as _, Result, ensure};
use tests::wait_for;

use crate::{
    collector::{Collector, LIMIT},
    events::{events, publish},
    receiver::{Answer, Receiver},
};

/// The sequences of the events in a file of JSON lines.
fn sequences(path: &Path) -> Result<Vec<u64>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let mut found = Vec::new();
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line)?;
        found.extend(event["id"]["sequence"].as_u64());
    }
    Ok(found)
}

#[test]
fn a_file_that_is_rotated_gets_every_event_once_and_an_output_that_is_away_delays_nobody()
-> Result<()> {
    const EVENTS: u64 = 300;
    let folder = tempfile::tempdir()?;
    let mut away = Receiver::start(|_| Answer::Take)?;
    away.go_away();
    let yaml = format!(
        "outputs:\n- name: away\n  from: beginning\n  retry: {{first: 1ms, longest: 100ms}}\n  webhook: {{url: 'http://{}/'}}\n- name: file\n  from: beginning\n  file: {{path: events.json}}\n",
        away.address
    );
    let mut collector = Collector::start(folder.path(), &yaml)?;
    let path = folder.path().join("events.json");
    let rotated = |number: u64| folder.path().join(format!("events.json.{number}"));
    for round in 0..3 {
        publish(
            folder.path(),
            &events(round * EVENTS + 1..=(round + 1) * EVENTS),
        )?;
        wait_for("the file", LIMIT, || {
            Ok((sequences(&path)?.last() == Some(&((round + 1) * EVENTS))).then_some(()))
        })
        .with_context(|| collector.log())?;
        fs::rename(&path, rotated(round))?;
        if round == 1 {
            collector.restart()?;
        }
    }
    let mut all = Vec::new();
    for round in 0..3 {
        all.extend(sequences(&rotated(round))?);
    }
    ensure!(all.iter().copied().eq(1..=3 * EVENTS), "{all:?}");
    wait_for("the other output to be behind", LIMIT, || {
        let lag = collector.metric("picket_collector_output_lag_events{output=\"away\"}")?;
        Ok((lag == 3 * EVENTS).then_some(()))
    })?;
    away.come_back()?;
    wait_for("the other output", LIMIT, || {
        Ok((away.count() as u64 == 3 * EVENTS).then_some(()))
    })
    .with_context(|| collector.log())
}
