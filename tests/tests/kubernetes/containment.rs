//! A pod is contained while it scans, let go by an operator, and could be quarantined by a policy.

use std::{fs, time::Duration};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tests::{Cluster, Process, wait_for};

use crate::{
    install::Install,
    is_pod,
    operator::Operator,
    pods::{self, Pod, Story},
    policy,
    subscriber::Subscriber,
};

const LIMIT: Duration = Duration::from_secs(60);
const ANNA: &str = "operator-anna";
const VIEWER: &str = "subscriber-viewer";
/// What the scanner used before, and what it did not: nmap begins with ports that are used often.
const KNOWN: &str = "80";
const NEW: &str = "43210";
const THRESHOLD: u64 = 25;
/// All counts of the detector trip at the same number of ports.
const VALUES: &str = "
detectors:
  containment: {mode: act, lease: 10m}
  detectors:
    port_scan_target: {mode: \"off\"}
    port_scan:
      ports_per_minute: 25
      failed_ports_per_minute: 25
      failed_ports_per_hour: 25
      low_ports_per_minute: 25
      crafted_ports_per_hour: 25
";

pub(crate) fn check(
    cluster: &Cluster,
    install: &Install,
    story: &Story,
    subscriber: &mut Subscriber,
) -> Result<()> {
    install.upgrade(VALUES)?;
    policy::wait_until_everywhere(cluster)?;
    let scanner = pods::scanner(cluster)?;
    install.wait_until_covered(&scanner)?;
    let target = story.app2.last().context("there is no app2")?;
    let listen = ["busybox", "httpd", "-p", NEW];
    cluster
        .exec(&target.namespace, &target.name, &listen, LIMIT)?
        .success()?;
    ensure!(
        reaches(cluster, &scanner, target, KNOWN)?,
        "nothing is contained yet"
    );

    scan(cluster, &scanner, target, subscriber)?;
    ensure!(
        reaches(cluster, &scanner, target, KNOWN)?,
        "what it used before goes on"
    );
    ensure!(
        !reaches(cluster, &scanner, target, NEW)?,
        "it reaches something new"
    );

    let operator = Operator::start(cluster, install.pki())?;
    let pod = format!("{}/{}", scanner.namespace, scanner.name);
    let refused = operator.picket(VIEWER, &["release", &pod])?;
    let said = format!("{refused:?}");
    ensure!(
        refused.success().is_err() && said.contains("picket://operator/"),
        "{said}"
    );
    ensure!(
        !reaches(cluster, &scanner, target, NEW)?,
        "a subscriber has released it"
    );

    let done = operator
        .picket(ANNA, &["release", &pod, "--reason", "a drill"])?
        .success()?;
    ensure!(done.stdout.contains("released"), "{done:?}");
    ensure!(
        reaches(cluster, &scanner, target, NEW)?,
        "an operator has released it"
    );
    subscriber
        .event(|event| is_action(event, "released", &scanner) && event["action"]["by"] == "anna")?;
    let contained = operator
        .picket(ANNA, &["contain", &pod, "--lease", "1h"])?
        .success()?;
    ensure!(
        contained.stdout.contains("contained until"),
        "{contained:?}"
    );
    let is_listed = || {
        let listed = operator
            .picket(ANNA, &["contain", "--list"])?
            .success()?
            .stdout;
        Ok((listed.contains(&pod) && listed.contains("anna")).then_some(()))
    };
    wait_for("the pod to be listed as contained", LIMIT, is_listed)?;
    let plugin = operator.kubectl(ANNA, &["contain", "--list"])?.success()?;
    ensure!(plugin.stdout.contains(&pod), "{plugin:?}");
    operator.picket(ANNA, &["release", &pod])?.success()?;
    quarantine(cluster, &operator, &pod, target)
}

/// Scans every port; it is contained meanwhile, and few of them answer.
#[expect(clippy::print_stdout, reason = "the figure is what people ask for")]
fn scan(cluster: &Cluster, scanner: &Pod, target: &Pod, subscriber: &mut Subscriber) -> Result<()> {
    let before = refusals(cluster, target)?;
    let mut kubectl = cluster.kubectl()?;
    kubectl.args([
        "--namespace",
        &scanner.namespace,
        "exec",
        &scanner.name,
        "--",
    ]);
    kubectl.args(["nmap", "-n", "-Pn", "-p-", "-T4", "--max-retries", "0"]);
    let mut nmap = Process::spawn(
        "nmap",
        kubectl.args(["--host-timeout", "20s", &target.address]),
    )?;
    let event = subscriber.event(|event| is_action(event, "contained", scanner))?;
    ensure!(
        nmap.is_running()?,
        "it was contained after its scan: {event}"
    );
    nmap.wait(LIMIT)?;
    let answered = refusals(cluster, target)? - before;
    println!(
        "nmap -p-: {answered} ports answered at threshold {THRESHOLD}; {}",
        event["summary"]
    );
    ensure!(
        (THRESHOLD / 2..4 * THRESHOLD).contains(&answered),
        "{answered} ports answered"
    );
    Ok(())
}

/// A policy for it, which the API server takes, and which says what it would cut.
fn quarantine(cluster: &Cluster, operator: &Operator<'_>, pod: &str, target: &Pod) -> Result<()> {
    let cut = format!(
        "to   {}/{} ({}) TCP {KNOWN}",
        target.namespace, target.name, target.address
    );
    let text = wait_for(&format!("a policy that tells {cut:?}"), LIMIT, || {
        let text = operator.picket(VIEWER, &["policy", pod])?.success()?.stdout;
        Ok(text.contains(&cut).then_some(text))
    })?;
    let file = cluster.directory().join("quarantine.yaml");
    fs::write(&file, text)?;
    let applied = cluster.ask(&[
        "apply",
        "--dry-run=server",
        "--filename",
        &file.to_string_lossy(),
    ])?;
    ensure!(
        applied.contains("networkpolicy") && applied.contains("server dry run"),
        "{applied}"
    );
    Ok(())
}

fn is_action(event: &Value, kind: &str, pod: &Pod) -> bool {
    event["action"]["kind"] == kind && is_pod(&event["source"], pod)
}

/// Whether a connection is made, in two seconds.
fn reaches(cluster: &Cluster, from: &Pod, to: &Pod, port: &str) -> Result<bool> {
    let connect = ["nc", "-w", "2", &to.address, port];
    let connected = cluster.exec(&from.namespace, &from.name, &connect, LIMIT)?;
    Ok(connected.status.success())
}

/// How often the stack of the pod has refused a connection: `OutRsts` of `Tcp` (RFC 4022).
fn refusals(cluster: &Cluster, pod: &Pod) -> Result<u64> {
    let read = ["cat", "/proc/net/snmp"];
    let told = cluster
        .exec(&pod.namespace, &pod.name, &read, LIMIT)?
        .success()?
        .stdout;
    let mut rows = told
        .lines()
        .filter(|it| it.starts_with("Tcp: "))
        .map(str::split_whitespace);
    let (names, values) = rows.next().zip(rows.next()).context("no counts of TCP")?;
    let mut fields = names.zip(values);
    let (_, count) = fields
        .find(|(name, _)| *name == "OutRsts")
        .context("no OutRsts")?;
    Ok(count.parse()?)
}
