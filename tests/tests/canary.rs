//! The agent scans itself, and a sensor that is silent is an event.

use std::{thread, time::Duration};

use anyhow::{Result, ensure};
use api::v1::{Canary, Severity, State, subscribe_request::From};
use serde_json::{Value, json};
use tests::{Capture, Place, Story, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const CANARY: &str = "picket-canary0";
const PACKETS: u64 = 32;

fn canary(watch: &Watch) -> Result<Canary> {
    wait_for("a scan of the agent's own", LIMIT, || {
        let nodes = watch.client()?.nodes()?;
        Ok(nodes.into_iter().find_map(|node| node.status?.canary))
    })
}

#[test]
fn the_sensor_finds_its_canary_whose_packets_go_nowhere() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let capture = Capture::start(&node.network, &app1.interface)?;
    // Pods are judged otherwise.
    let config = "canary: 10s\ndetectors: {port_scan: {mode: off}}\n";
    let watch = Watch::start(node, &[app1, app2], config, Place::Apart)?;
    let found = canary(&watch)?;
    ensure!(found.found, "{found:?}{}", watch.log());
    assert_eq!(
        (found.packets_sent, found.packets_counted),
        (PACKETS, PACKETS)
    );
    assert_eq!(
        (found.packets_sent_back, found.packets_counted_back),
        (PACKETS, PACKETS)
    );
    ensure!(
        found.delay.is_some_and(|delay| delay.seconds < 5),
        "{found:?}"
    );
    let strays = capture.finish()?.ports_initiated_by("192.0.2.1".parse()?);
    ensure!(strays.is_empty(), "at a pod: {strays:?}");

    ensure!(
        watch.client()?.events()?.is_empty(),
        "it is nobody's anomaly"
    );
    let status = watch
        .client()?
        .nodes()?
        .into_iter()
        .find_map(|node| node.status);
    let slots = status.map(|status| status.slots).unwrap_or_default();
    ensure!(
        slots.iter().all(|slot| slot.interface != CANARY),
        "it is no pod's"
    );
    Ok(())
}

#[test]
fn a_selftest_is_done_at_once_and_comes_all_the_way() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    // Of its own it would not scan a second time within this test.
    let watch = Watch::start(node, &[app1, app2], "canary: 5m\n", Place::Apart)?;
    canary(&watch)?;
    let mut picket = watch.picket()?;
    picket.args(["selftest", "--json", "--timeout", "30s"]);
    let tested = run("picket selftest", &mut picket, LIMIT)?.success()?;
    println!("{}", tested.stdout);
    let told: Value = serde_json::from_str(tested.stdout.trim())?;
    assert_eq!(
        (&told["kind"], &told["result"]),
        (&json!("selftest"), &json!("found"))
    );
    assert_eq!(told["canary"]["packets_counted_back"], PACKETS);
    ensure!(told["event_after"].is_string(), "{told}");
    let events = watch.client()?.events()?;
    let told: Vec<_> = events.iter().map(|it| (it.severity(), it.shadow)).collect();
    assert_eq!(told, [(Severity::Info, true)], "nobody is alarmed");
    ensure!(events[0].anomaly_id.contains("/selftest/"), "{events:?}");
    Ok(())
}

#[test]
fn a_sensor_that_is_silent_is_an_event_until_it_sees_again() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for (side, program) in [("ingress", "from_pod"), ("egress", "to_pod")] {
        is_silent(side, program)?;
    }
    Ok(())
}

/// One whose program on this side is removed.
fn is_silent(side: &str, program: &str) -> Result<()> {
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let config = "canary: 10s\nattach: clsact\n";
    let watch = Watch::start(node, &[app1, app2], config, Place::Apart)?;
    ensure!(
        canary(&watch)?.found,
        "it is silent from the start{}",
        watch.log()
    );
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;

    // The agent attaches its program again and again, and somebody removes it each time.
    let opened = loop {
        let mut tc = node.network.command("tc");
        tc.args(["filter", "del", "dev", CANARY, side]);
        run("tc", &mut tc, LIMIT)?;
        if let Some(received) = subscription.poll(Duration::from_millis(50))?
            && let api::v1::subscribe_response::Item::Event(event) = received.item
        {
            break event;
        }
        thread::yield_now();
    };
    assert_eq!(
        (opened.detector.as_str(), opened.state()),
        ("canary", State::Opened)
    );
    assert_eq!(opened.severity(), Severity::High);
    let reason =
        format!("is silent: none of 32 packets was counted at {CANARY}: the program {program} ");
    ensure!(opened.summary.contains(&reason), "{}", opened.summary);
    let (closed, _) = subscription.event(LIMIT, |event| event.state() == State::Closed)?;
    assert_eq!(closed.anomaly_id, opened.anomaly_id);
    ensure!(closed.summary.contains("sees again"), "{}", closed.summary);
    Ok(())
}
