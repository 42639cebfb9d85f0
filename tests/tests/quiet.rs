//! Busy servers and busy clients raise nothing, and a scan right behind them does.

use std::{collections::BTreeSet, time::Duration};

use anyhow::{Context, Result, ensure};
use api::v1::{State, subscribe_request::From};
use tests::{Place, Pod, Story, Watch, run, visit, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n\
    containment: {mode: off}\n";

#[test]
fn a_server_answering_20000_client_ports_raises_nothing() -> Result<()> {
    only_the_scan_is_told(20_000, |story| (&story.app2, &story.app1))
}

#[test]
fn a_client_of_one_port_raises_nothing() -> Result<()> {
    only_the_scan_is_told(10_000, |story| (&story.app1, &story.app2))
}

/// Makes connections between client and server, and then lets the client scan the server.
fn only_the_scan_is_told(connections: u64, roles: impl Fn(&Story) -> (&Pod, &Pod)) -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let (client, server) = roles(&story);
    let pods = [&story.app1, &story.app2];
    let watch = Watch::start(&story.node, &pods, AGENT_CONFIG, Place::Apart)?;

    let listening = server.serve(&[8080])?;
    let ports = connect(client, server, connections)?;
    ensure!(
        ports.len() as u64 == connections,
        "client ports were used twice"
    );
    wait_for("every client to have left", LIMIT, || {
        Ok((listening.answered() == connections).then_some(()))
    })?;

    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    let target = server.address().to_string();
    run("nmap", client.command("nmap").args(["-n", &target]), LIMIT)?.success()?;
    let closed = subscription.event(LIMIT, |event| event.state() == State::Closed);
    let (closed, _) = closed.with_context(|| watch.log())?;
    // By now every silence has been judged too.
    for event in watch.client()?.events()? {
        assert_eq!(event.anomaly_id, closed.anomaly_id, "{event:?}");
        assert_eq!(
            event.source.map(|source| source.pod),
            Some(client.name.clone())
        );
    }
    Ok(())
}

/// The client ports of `connections` to port 8080, one after another.
fn connect(client: &Pod, server: &Pod, connections: u64) -> Result<BTreeSet<u16>> {
    client
        .network
        .write_sysctl("net/ipv4/ip_local_port_range", "1024 65535")?;
    let server = (server.address(), 8080).into();
    let visits = || {
        (0..connections)
            .map(|_| visit(server))
            .collect::<Result<_, _>>()
    };
    Ok(client.network.enter(visits)??)
}
