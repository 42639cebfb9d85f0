//! Debian's Alertmanager: an alert is active for as long as its anomaly is open, and no longer.

use std::{
    collections::BTreeSet,
    fs,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow, ensure};
use api::v1::State;
use serde_json::Value;
use tests::{Process, guarded, require_tools, wait_for};

use crate::{
    collector::{Collector, LIMIT},
    events::{NODE, anomaly, event, events, publish},
    receiver::{free_port, get},
};

const PROGRAM: &str = "prometheus-alertmanager";

struct Alertmanager {
    process: Process,
    address: SocketAddr,
}

impl Alertmanager {
    /// Starts one that knows of nothing.
    fn start(folder: &Path, port: u16) -> Result<Self> {
        require_tools(&[PROGRAM])?;
        let config = folder.join("alertmanager.yml");
        fs::write(
            &config,
            "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n",
        )?;
        let storage = folder.join("alertmanager");
        if storage.exists() {
            fs::remove_dir_all(&storage)?;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut command = guarded(PROGRAM);
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--storage.path={}", storage.display()))
            .arg(format!("--web.listen-address={address}"))
            .arg("--cluster.listen-address=");
        let mut process = Process::spawn(PROGRAM, &mut command)?;
        wait_for("Alertmanager to be ready", LIMIT, || {
            ensure!(process.is_running()?, "Alertmanager ended");
            Ok(get(address, "/-/ready").ok())
        })
        .map_err(|error| anyhow!("{error:#}{}", process.log()))?;
        Ok(Self { process, address })
    }

    fn stop(mut self) -> Result<()> {
        self.process.terminate(LIMIT).map(drop)
    }

    /// Those that are active.
    fn alerts(&self) -> Result<Vec<Value>> {
        let text = get(self.address, "/api/v2/alerts")?;
        // One may be sent in chunks.
        let text = text.get(text.find('[').unwrap_or(0)..=text.rfind(']').unwrap_or(0));
        Ok(serde_json::from_str(text.context("no list")?)?)
    }

    /// Their anomalies.
    fn active(&self) -> Result<BTreeSet<String>> {
        let alerts = self.alerts()?;
        let names = alerts
            .iter()
            .filter_map(|it| it["labels"]["anomaly"].as_str());
        Ok(names.map(str::to_owned).collect())
    }

    fn wait_for(&self, anomalies: &[u64], collector: &Collector) -> Result<()> {
        let wanted: BTreeSet<_> = anomalies.iter().map(|it| anomaly(*it)).collect();
        wait_for(&format!("alerts of {anomalies:?}"), LIMIT, || {
            Ok((self.active()? == wanted).then_some(()))
        })
        .with_context(|| format!("{:?}{}", self.active(), collector.log()))
    }
}

#[test]
fn an_alert_is_active_while_its_anomaly_is_open_whatever_is_restarted() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let manager = Alertmanager::start(folder.path(), port)?;
    let yaml = format!(
        "outputs:\n- name: alerts\n  retry: {{first: 10ms, longest: 200ms}}\n  alertmanager:\n    url: http://127.0.0.1:{port}\n    resend: 1s\n    labels: {{cluster: prod}}\n    runbook: https://runbooks/{{detector}}\n"
    );
    let mut collector = Collector::start(folder.path(), &yaml)?;
    let mut all = events(1..=3);
    publish(folder.path(), &all)?;
    manager.wait_for(&[1, 2, 3], &collector)?;
    let alert = manager.alerts()?.remove(0);
    let labels = &alert["labels"];
    for (name, value) in [
        ("alertname", "PicketPortScan"),
        ("cluster", "prod"),
        ("detector", "port_scan"),
        ("namespace", "shop"),
        ("node", NODE),
        ("pod", "web-0"),
        ("severity", "high"),
    ] {
        ensure!(labels[name] == value, "{name}: {alert}");
    }
    let runbook = &alert["annotations"]["runbook_url"];
    ensure!(runbook == "https://runbooks/port_scan", "{alert}");
    let summary = alert["annotations"]["summary"].as_str();
    ensure!(summary.is_some_and(|it| it.contains("web-0")), "{alert}");

    // It outlives the end that it was given first, since it is said again.
    let ends = |alert: &Value| alert["endsAt"].as_str().map(humantime::parse_rfc3339_weak);
    let first = ends(&alert).context("no end")??;
    wait_for("the first end to pass", LIMIT, || {
        Ok((now() > first + Duration::from_millis(500)).then_some(()))
    })?;
    manager.wait_for(&[1, 2, 3], &collector)?;

    // A closing that came while Alertmanager was away, and one that has lost all it knew.
    manager.stop()?;
    all.push(event(4, &anomaly(2), State::Closed));
    all.push(event(5, &anomaly(5), State::Opened));
    publish(folder.path(), &all)?;
    let manager = Alertmanager::start(folder.path(), port)?;
    manager.wait_for(&[1, 3, 5], &collector)?;

    collector.kill()?;
    all.push(event(6, &anomaly(1), State::Closed));
    publish(folder.path(), &all)?;
    manager.wait_for(&[3, 5], &collector)?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "alerts end at a time")]
fn now() -> std::time::SystemTime {
    std::time::SystemTime::now()
}
