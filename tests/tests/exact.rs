//! The closing event counts exactly the ports that a capture at the same veth holds.

use std::{net::IpAddr, time::Duration};

use anyhow::{Context, Result, ensure};
use api::v1::{Event, State, Technique, subscribe_request::From};
use tests::{Capture, Place, Story, Subscription, Watch, run, without_root};

const LIMIT: Duration = Duration::from_secs(60);
const AGENT_CONFIG: &str = "detectors: {port_scan: {quiet: 2s}, port_scan_target: {mode: off}}\n";

#[test]
fn a_scan_is_counted_exactly() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let cases: [(&[&str], Technique, usize); 9] = [
        (&["-sT"], Technique::TcpConnect, 1_000),
        (&["-sS"], Technique::TcpSyn, 1_000),
        (&["-sT", "-6"], Technique::TcpConnect, 1_000),
        (&["-sS", "-6"], Technique::TcpSyn, 1_000),
        (&["-sN"], Technique::TcpNull, 1_000),
        (&["-sF"], Technique::TcpFin, 1_000),
        (&["-sX"], Technique::TcpXmas, 1_000),
        (&["-sT", "-p-"], Technique::TcpConnect, 65_535),
        (&["-sS", "-p-"], Technique::TcpSyn, 65_535),
    ];
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[80, 8080])?;
    let watch = Watch::start(node, &[app1, app2], AGENT_CONFIG, Place::Apart)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    for (flags, technique, at_least) in cases {
        let version = usize::from(flags.contains(&"-6"));
        let (from, to) = (app1.addresses[version], app2.addresses[version]);
        let capture = Capture::start(&node.network, &app1.interface)?;
        run(
            "nmap",
            app1.command("nmap")
                .arg("-n")
                .args(flags)
                .arg(to.to_string()),
            LIMIT,
        )?
        .success()?;
        let closed =
            life(&mut subscription, from).with_context(|| format!("{flags:?}{}", watch.log()))?;
        let captured = capture.finish()?.ports_initiated_by(from);
        ensure!(
            captured.len() >= at_least,
            "{flags:?}: the scan was cut short"
        );
        let counted = closed.ports.as_ref().map_or(0, |it| it.distinct);
        assert_eq!(usize::try_from(counted)?, captured.len(), "{flags:?}");
        assert_eq!(closed.technique(), technique, "{flags:?}");
    }
    Ok(())
}

/// The closing event of the next anomaly, which must be of `from`.
fn life(subscription: &mut Subscription, from: IpAddr) -> Result<Event> {
    let (opened, _) = subscription.event(LIMIT, |_| true)?;
    let source = opened.source.clone().unwrap_or_default();
    ensure!(opened.state() == State::Opened, "it begins with {opened:?}");
    ensure!(source.pod == "app1", "an innocent is accused: {opened:?}");
    ensure!(
        source.address == from.to_string(),
        "not by {from}: {opened:?}"
    );
    let (closed, _) = subscription.event(LIMIT, |event| {
        event.anomaly_id == opened.anomaly_id && event.state() == State::Closed
    })?;
    Ok(closed)
}
