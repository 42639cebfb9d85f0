//! The detectors are set anew while the agent runs: for some pods, and but for what is known.

use std::{thread, time::Duration};

use anyhow::{Result, anyhow, ensure};
use api::v1::{Event, State, subscribe_request::From};
use tests::{Place, Pod, Story, Subscription, Watch, run, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(30);
/// Closed soon, so that each scan is one of its own.
const ALL: &str = "detectors: {port_scan: {quiet: 1s}, port_scan_target: {mode: off}}\n";

#[test]
fn detectors_are_set_anew_while_the_agent_runs() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], ALL, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    let mut first = (1..).step_by(100);
    let mut next = |watch: &Watch| -> Result<Event> {
        let first = first.next().unwrap_or(1);
        scan(app1, app2, first)?;
        let event = whole(&mut subscription);
        let event = event.map_err(|error| anyhow!("{error:#}{}", watch.log()))?;
        let ports = event.targets.first().map(|it| it.sample_ports.clone());
        let ports = ports.unwrap_or_default();
        ensure!(
            ports
                .iter()
                .all(|&port| (first..first + 100).contains(&port)),
            "it is of another scan: {event:?}"
        );
        Ok(event)
    };
    ensure!(!next(&watch)?.shadow, "in shadow from the start");

    let shadow = "scopes:\n- {namespaces: [default], detectors: {port_scan: {mode: shadow}}}\n";
    configure(&watch, &format!("{ALL}{shadow}"), "set anew", 1)?;
    ensure!(next(&watch)?.shadow, "the scope is not applied");
    let others = shadow.replace("default", "blue");
    configure(&watch, &format!("{ALL}{others}"), "set anew", 2)?;
    ensure!(!next(&watch)?.shadow, "another's scope is applied");

    let broken = "detectors: {port_scan: {failed_ports_per_minute: 0}}\n";
    configure(&watch, broken, "it takes a whole number from 1 to 65536", 1)?;
    ensure!(!next(&watch)?.shadow, "a broken file changes something");

    let address = app2.address();
    let known = format!(
        "exceptions:\n- {{name: known, owner: us, reason: it is ours, namespaces: [default], targets: [{address}]}}\n"
    );
    configure(&watch, &format!("{ALL}{known}"), "set anew", 3)?;
    scan(app1, app2, 5000)?;
    // By then it is over, and nobody was told.
    thread::sleep(Duration::from_secs(4));
    let hits = hits(&watch)?;
    ensure!(hits > 0, "nothing was counted of what nobody was told of");
    let ended = known.replace("}\n", ", until: 2026-01-01T00:00:00Z}\n");
    configure(&watch, &format!("{ALL}{ended}"), "that is past", 1)?;
    configure(&watch, ALL, "set anew", 4)?;
    next(&watch)?;
    Ok(())
}

fn hits(watch: &Watch) -> Result<u64> {
    let nodes = watch.client()?.nodes()?;
    let status = nodes.into_iter().find_map(|node| node.status?.policy);
    let exceptions = status.map(|policy| policy.exceptions).unwrap_or_default();
    Ok(exceptions.iter().map(|exception| exception.hits).sum())
}

#[test]
fn a_wrong_policy_of_the_cluster_leaves_the_one_before_on_every_node_and_over_restarts()
-> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let mut watch = Watch::start(node, &[app1, app2], "{}", Place::Apart)?;
    // For all pods: after the restart nobody tells the agent which ones there are.
    let shadow = ALL.replace("port_scan: {", "port_scan: {mode: shadow, ");
    watch.configure_all(&shadow)?;
    watch.stop_collector()?;
    watch.start_collector()?;
    let revision = in_force(&watch, |revision| !revision.is_empty())?;

    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    scan(app1, app2, 1)?;
    ensure!(
        whole(&mut subscription)?.shadow,
        "the policy is not applied"
    );

    for (wrong, line) in [
        (
            "detectors: {port_scan: {failed_ports_per_minute: 0}}\n",
            ":1: detectors.port_scan.failed",
        ),
        (
            "detectors:\n  of_tomorrow: {}\n",
            ":2: detectors.of_tomorrow: there is no such detector",
        ),
        ("scopes:\n- {}\n- {}\n", ":3: scopes[1]"),
    ] {
        watch.configure_all(wrong)?;
        wait_for(line, LIMIT, || Ok(watch.log().contains(line).then_some(())))?;
        ensure!(
            in_force(&watch, |_| true)? == revision,
            "{wrong} is in force"
        );
    }
    // The collector is away, and the agent starts anew.
    watch.stop_collector()?;
    watch.stop_agent()?;
    watch.start_agent()?;
    watch.wait_until_attached(&[app1, app2])?;
    let agent = tests::Client::connect(&watch.agent_address(), LIMIT)?;
    let mut local = agent.subscribe(From::Now(true), LIMIT)?;
    scan(app1, app2, 200)?;
    ensure!(
        whole(&mut local)?.shadow,
        "the policy did not hold over a restart"
    );
    Ok(())
}

/// The revision that the node says is in force, once it is as wanted.
fn in_force(watch: &Watch, wanted: impl Fn(&str) -> bool) -> Result<String> {
    wait_for("the policy", LIMIT, || {
        let nodes = watch.client()?.nodes()?;
        let policy = nodes.into_iter().find_map(|node| node.status?.policy);
        Ok(policy.map(|it| it.revision).filter(|it| wanted(it)))
    })
}

/// Writes the file, and waits until the log has said so that often.
fn configure(watch: &Watch, yaml: &str, said: &str, times: usize) -> Result<()> {
    watch.configure_agent(yaml)?;
    wait_for(said, LIMIT, || {
        Ok((watch.log().matches(said).count() >= times).then_some(()))
    })
}

fn scan(from: &Pod, to: &Pod, first: u32) -> Result<()> {
    let mut nmap = from.command("nmap");
    nmap.args(["-n", "-Pn", "-sT", "--max-retries", "0"]);
    nmap.arg(format!("-p{first}-{}", first + 29));
    nmap.arg(to.address().to_string());
    run("nmap", &mut nmap, LIMIT)?.success()?;
    Ok(())
}

/// The opening of the next anomaly, once it is closed.
fn whole(subscription: &mut Subscription) -> Result<Event> {
    let is = |event: &Event, state| event.state() == state && event.detector == "port_scan";
    let (opened, _) = subscription.event(LIMIT, |event| is(event, State::Opened))?;
    subscription.event(LIMIT, |event| {
        is(event, State::Closed) && event.anomaly_id == opened.anomaly_id
    })?;
    Ok(opened)
}
