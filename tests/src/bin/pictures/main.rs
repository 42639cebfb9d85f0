//! Takes the pictures of the page that the README shows, of a shop where somebody looks around.

use std::{env, process::ExitCode, time::Duration};

use anyhow::{Context as _, Result};
use api::v1::{State, subscribe_request::From};
use tests::{Browser, Place, Shop, Watch, require_root, require_tools, run};

const LIMIT: Duration = Duration::from_secs(60);
/// Anomalies stay open until their picture is taken.
const POLICY: &str = "\
# How the shop is watched.
detectors:
  port_scan: {quiet: 1h}
  ip_sweep: {quiet: 2s}
  beacon: {mode: shadow}
exceptions:
- name: known-scanner
  owner: security@example.com
  reason: the scanner of the security team
  detectors: [port_scan]
  namespaces: [security]
";

#[expect(clippy::print_stderr, reason = "it talks to a person")]
fn main() -> ExitCode {
    match take() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn take() -> Result<()> {
    require_root()?;
    require_tools(&["nmap", "ip", "nsenter", "setpriv"])?;
    let folder = env::args_os().nth(1).context("name the folder for them")?;
    let browser = Browser::new()?;
    let shop = Shop::open()?;
    let pods = shop.pods();
    let mut watch = Watch::start(&shop.node, &pods, "canary: 10s\n", Place::Apart)?;
    watch.configure_all(POLICY)?;
    watch.stop_collector()?;
    watch.start_collector()?;
    watch.wait_until_watched(&pods)?;
    let mut subscription = watch.client()?.subscribe(From::Now(true), LIMIT)?;
    shop.trade()?;
    shop.look_around()?;
    subscription.event(LIMIT, |event| {
        event.detector == "ip_sweep" && event.state() == State::Closed
    })?;
    let mut script = browser.command("pictures.mjs", |node| watch.beside_collector(node));
    let runner = shop.pod("runner")?;
    script.env("PICKET_PAGE", "http://127.0.0.1:7405");
    script.env(
        "PICKET_PAGE_BURNS",
        format!("{}/{}", runner.namespace, runner.name),
    );
    script.env("PICKET_PAGE_SHOTS", folder);
    run("the page's scripts", &mut script, LIMIT)?.success()?;
    Ok(())
}
