//! The page in a browser, against the real collector and the real agent of pods that are really scanned.

mod closed;
mod hostile;
mod wishes;

use std::time::{Duration, SystemTime};

use anyhow::{Result, anyhow, ensure};
use api::{
    certificates::{Authority, LEAF_DAYS, Purpose},
    principal::Principal,
    v1::{Event, State, subscribe_request::From},
};
use tests::{Browser, Place, Pod, Process, Shop, Watch, without_root};

use self::{closed::Closed, hostile::Hostile};

const LIMIT: Duration = Duration::from_secs(60);
/// Of the whole suite.
const SUITE_LIMIT: Duration = Duration::from_secs(600);
/// Anomalies stay open while they are looked at.
const POLICY: &str = "\
# How the shop is watched.
detectors:
  port_scan: {quiet: 1h}
  dns_tunnel: {quiet: 1h}
  ip_sweep: {quiet: 2s}
exceptions:
- name: known-scanner
  owner: security@example.com
  reason: the scanner of the security team
  detectors: [port_scan]
  namespaces: [security]
";

#[test]
#[expect(clippy::disallowed_methods, reason = "certificates are of this moment")]
fn every_control_works_in_a_browser() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let browser = Browser::new()?;
    let shop = Shop::open()?;
    let hostile = Hostile::new(&shop.node)?;
    let folder = tempfile::tempdir()?;
    let now = SystemTime::now();
    let authority = Authority::create(folder.path(), 10, now)?;
    let anna = authority.issue(Purpose::Client(Principal::Operator("anna")), LEAF_DAYS, now)?;
    let config = format!(
        "operator_ca: {}\nbaselines: {}\n",
        authority.certificate().display(),
        folder.path().join("baselines.json").display(),
    );
    let mut pods = shop.pods();
    pods.extend(hostile.scanners());
    pods.push(hostile.asker());
    let mut watch = Watch::start(&shop.node, &pods, &config, Place::Apart)?;
    watch.configure_all(POLICY)?;
    watch.stop_collector()?;
    watch.start_collector()?;
    watch.wait_until_watched(&pods)?;
    let closed = Closed::start(&authority, folder.path(), &watch)?;

    // Who is told of last stands first among those that burn.
    let mut scanners: Vec<_> = hostile
        .scanners()
        .iter()
        .map(|it| (it, "port_scan"))
        .collect();
    scanners.push((hostile.asker(), "dns_tunnel"));
    hostile.misbehave(shop.pod("gateway")?)?;
    told(&watch, scanners)?;
    let runner = shop.pod("runner")?;
    shop.trade()?;
    shop.look_around()?;
    told(&watch, vec![(runner, "port_scan"), (runner, "ip_sweep")])?;

    let mut script = browser.command("run.mjs", |node| watch.beside_collector(node));
    script.env("PICKET_PAGE", "http://127.0.0.1:7405");
    script.env(
        "PICKET_PAGE_BURNS",
        format!("{}/{}", runner.namespace, runner.name),
    );
    let operator = format!("{},{}", anna.certificate.display(), anna.key.display());
    script.env("PICKET_PAGE_OPERATOR", operator);
    for flag in ["WRITABLE", "HOSTILE", "WISHES"] {
        script.env(format!("PICKET_PAGE_{flag}"), "1");
    }
    closed.tell(&mut script);
    let mut suite = Process::spawn("the page's scripts", &mut script)?;
    wishes::grant(&mut suite, SUITE_LIMIT, &mut watch, &shop)?;
    ensure!(
        suite.wait(LIMIT)?.success(),
        "the page is broken{}{}",
        suite.log(),
        watch.log()
    );
    Ok(())
}

/// Waits until an anomaly of each of these pods and detectors is in the log.
fn told(watch: &Watch, mut expected: Vec<(&Pod, &str)>) -> Result<()> {
    let mut subscription = watch.client()?.subscribe(From::AfterCursor(0), LIMIT)?;
    while !expected.is_empty() {
        let opened = |event: &Event| event.state() == State::Opened;
        let (event, _) = subscription.event(LIMIT, opened).map_err(|error| {
            let missing = expected.iter().map(|(pod, by)| format!("{by} of {pod}"));
            let missing: Vec<_> = missing.collect();
            anyhow!("{missing:?}: {error:#}{}", watch.log())
        })?;
        expected.retain(|(pod, by)| !(is_of(&event, pod) && event.detector == *by));
    }
    Ok(())
}

fn is_of(event: &Event, pod: &Pod) -> bool {
    let source = event.source.clone().unwrap_or_default();
    source.namespace == pod.namespace && source.pod == pod.name
}
