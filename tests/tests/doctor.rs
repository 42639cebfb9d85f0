//! Programs of others on the same hooks are found, by an agent that runs and without one.

use std::time::Duration;

use anyhow::{Result, ensure};
use api::v1::{Finding, Verdict};
use rustix::net::{AddressFamily, SocketType, netdevice};
use tests::{Node, Place, Story, Watch, bpf::Foreign, run, wait_for, without_root};

/// It is examined twice a minute.
const LIMIT: Duration = Duration::from_secs(90);
const CHECK: &str = "foreign_programs";

/// Puts a program of somebody else at both sides of an interface, first on tcx.
fn intrude(node: &Node, interface: &str) -> Result<Foreign> {
    node.network.enter(|| {
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
        Foreign::attach_first(netdevice::name_to_index(socket, interface)?)
    })?
}

fn found(watch: &Watch) -> Result<Option<Finding>> {
    let nodes = watch.client()?.nodes()?.into_iter();
    let findings = nodes
        .filter_map(|node| node.status)
        .flat_map(|it| it.findings);
    Ok(findings.into_iter().find(|it| it.check == CHECK))
}

#[test]
fn a_program_of_others_that_runs_before_ours_is_a_warning() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    // Whatever is on tcx runs before it, and the agent is told to stay there.
    let watch = Watch::start(node, &[app1, app2], "attach: clsact\n", Place::Apart)?;
    let told = |verdict: Verdict, part: &str| {
        wait_for(&format!("the finding {part:?}"), LIMIT, || {
            let found = found(&watch)?;
            let is_told = |it: &Finding| it.verdict() == verdict && it.found.contains(part);
            Ok(found.is_some_and(|it| is_told(&it)).then_some(()))
        })
    };
    told(Verdict::Ok, "none at the 2 watched interfaces")?;
    let foreign = intrude(node, &app1.interface)?;
    let warning = format!(
        "programs of others run before ours: {} (program ids [",
        app1.interface
    );
    told(Verdict::Warning, &warning)?;

    let mut doctor = watch.agent_command()?;
    let doctor = run(
        "picket-agent doctor",
        doctor.args(["--canary", "off", "doctor"]),
        LIMIT,
    )?;
    ensure!(doctor.stdout.contains("clock_synchronized: "), "{doctor:?}");
    let line = doctor.stdout.lines().find(|it| it.contains(CHECK));
    ensure!(
        line.is_some_and(|it| it.contains(&app1.interface)),
        "{doctor:?}"
    );
    drop(foreign);
    told(Verdict::Ok, "none at the 2 watched interfaces")
}
