//! What is usual for a workload is kept over restarts of the agent.

use std::{fs, time::Duration};

use agent::baselines::Store;
use anyhow::{Context as _, Result};
use detect::{Detectors, Observation, Settings, Subject, Time};
use tests::{Place, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const LEARNING_HOURS: u64 = 7 * 24;

/// What a replica of `default/app1` has learned that hardly sends anything.
fn quiet() -> Vec<detect::Baseline> {
    let subject = Subject {
        ifindex: 1,
        epoch: 1,
    };
    let mut detectors = Detectors::new(Settings::default());
    detectors.name(subject, "default/app1");
    for hour in 0..LEARNING_HOURS + 2 {
        let now = Time::default() + Duration::from_secs(3600 * hour);
        detectors.observe(&Observation::empty(subject), now, &mut Vec::new());
    }
    detectors.baselines()
}

#[test]
fn an_agent_knows_what_was_usual_before_it_started() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let store = Store::at(directory.path().join("baselines.json"));
    store.write(&quiet())?;
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let config = format!("baselines: {}\nsample_rate: 1\n", store.path().display());
    let mut watch = Watch::start(node, &[app1, app2], &config, Place::Apart)?;
    let target = app2.address().to_string();
    let upload = "--udp -p 9 --data-length 1400 --rate 500 -c 3000 -H -q";
    let mut nping = app1.command("nping");
    nping.args(upload.split(' ')).arg(&target);
    run("nping", &mut nping, LIMIT)?.success()?;
    let client = watch.client()?;
    wait_for("unusually many bytes", LIMIT, || {
        let events = client.events()?;
        let mut told = events.iter().filter(|event| event.detector == "bytes_out");
        Ok(told.next().is_some().then_some(()))
    })
    .with_context(|| watch.log())?;
    watch.stop_agent()?;
    let kept = store.read()?;
    assert!(
        kept.iter().any(|it| it.workload == "default/app1"),
        "{kept:?}"
    );

    // A damaged file costs what was learned, and nothing else.
    fs::write(store.path(), "{\"version\":1,\"base")?;
    watch.start_agent()?;
    let agent = watch.agent.as_mut().context("no agent")?;
    let line = agent.wait_for_line("learning anew", LIMIT)?;
    assert!(line.contains("baselines.json"), "{line}");
    watch.stop_agent()?;
    assert_eq!(store.read()?, []);
    Ok(())
}
