//! Runs scans between two watched pods, and compares what was counted of each.

use std::time::Duration;

use agent_common::Class;
use anyhow::{Context, Result, ensure};
use tests::{Node, Pod, Process, Shadows, oracle::Model, require_tools};

const LIMIT: Duration = Duration::from_secs(40);
const MOMENT: Duration = Duration::from_millis(20);

/// What a scan must show at least, so that a scanner that did nothing fails the test.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shows {
    /// The attacker initiated this often by this class.
    Initiated(Class, u64),
    /// The same, and so many distinct ports of the victim were probed.
    Probed(Class, u32),
    /// Later fragments besides.
    Fragments(Class, u64),
}

/// One run of one scanner.
pub(crate) struct Scan {
    pub(crate) command: String,
    pub(crate) shows: Shows,
}

pub(crate) fn scan(command: impl Into<String>, shows: Shows) -> Scan {
    Scan {
        command: command.into(),
        shows,
    }
}

/// Runs `scans` one after another from `attacker`, each with empty slots.
pub(crate) fn compare(node: &Node, attacker: &Pod, victim: &Pod, scans: &[Scan]) -> Result<()> {
    require_tools(&["nmap", "masscan", "zmap", "hping3", "taskset"])?;
    for pod in [attacker, victim] {
        pod.network.write_sysctl("net/ipv4/icmp_ratelimit", "0")?;
        pod.network.write_sysctl("net/ipv6/icmp/ratelimit", "0")?;
    }
    node.network.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        runtime.block_on(async {
            let mut shadows = Shadows::new(&node.network, &[attacker, victim])?;
            for scan in scans {
                run(&mut shadows, attacker, scan).with_context(|| scan.command.clone())?;
            }
            Ok(())
        })
    })?
}

fn run(shadows: &mut Shadows, attacker: &Pod, scan: &Scan) -> Result<()> {
    shadows.begin()?;
    // On one CPU, packets of both directions pass capture and programs in the same order.
    let mut command = attacker.command("taskset");
    command.args(["-c", "0"]).args(scan.command.split(' '));
    let mut scanner = Process::spawn("the scanner", &mut command)?;
    let ended = tests::wait_for("the end of the scanner", LIMIT, || {
        shadows.take_records();
        std::thread::park_timeout(MOMENT);
        Ok((!scanner.is_running()?).then_some(()))
    });
    ended.with_context(|| scanner.log())?;
    let models = shadows.agreed()?;
    let [of_attacker, of_victim] = &models[..] else {
        anyhow::bail!("two veths are watched");
    };
    ensure!(
        shows(scan.shows, of_attacker, of_victim),
        "it shows less than {:?}: {:?}, {} probed ports{}",
        scan.shows,
        Class::ALL.map(|class| (class, of_attacker.undrained().initiated(class))),
        of_victim.undrained().probed(),
        scanner.log(),
    );
    Ok(())
}

fn shows(shows: Shows, attacker: &Model, victim: &Model) -> bool {
    let drained = attacker.undrained();
    match shows {
        Shows::Initiated(class, least) => drained.initiated(class) >= least,
        Shows::Probed(class, least) => {
            drained.initiated(class) >= u64::from(least) && victim.undrained().probed() >= least
        }
        Shows::Fragments(class, least) => {
            let fragments = drained.counter(agent_common::Counter::LaterFragments);
            drained.initiated(class) >= least && fragments >= least
        }
    }
}
