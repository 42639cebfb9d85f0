//! The lab leaves nothing behind: not after success, not after a panic, not after SIGKILL.

use std::{collections::BTreeSet, env, fs, path::Path, process::Command, thread, time::Duration};

use anyhow::{Context, Result, ensure};
use rustix::process::Signal;
use tests::{Capture, Place, Process, Story, Watch, wait_for, without_root};

const LIMIT: Duration = Duration::from_secs(20);
/// Tells [`lab_of_a_child`] how to end.
const END: &str = "PICKET_LAB_END";

#[test]
fn nothing_is_left_behind() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let before = Host::now()?;
    for end in ["return", "panic", "hang"] {
        let mut test = Command::new(env::current_exe()?);
        test.args(["--exact", "lab_of_a_child", "--ignored", "--nocapture"]);
        test.env(END, end);
        let mut child = Process::spawn("the child", &mut test)?;
        let made = child.wait_for_line("made, in ", LIMIT)?;
        let made: Vec<u64> = made
            .split(' ')
            .filter_map(|word| word.parse().ok())
            .collect();
        let (processes, namespaces) = made.split_at(3);
        if end == "hang" {
            ensure!(
                processes.iter().all(|id| is_alive(*id)),
                "nothing to clean up{}",
                child.log()
            );
            child.signal(Signal::KILL)?;
        }
        let status = child.wait(LIMIT)?;
        ensure!(status.success() == (end == "return"), "{end}: {status}");
        wait_for(&format!("the end of all after {end}"), LIMIT, || {
            let gone = !processes.iter().any(|id| is_alive(*id));
            Ok((gone && holders(namespaces)?.is_empty()).then_some(()))
        })?;
    }
    let after = Host::now()?;
    assert_eq!(before, after);
    Ok(())
}

#[test]
#[ignore = "runs as a child of the test above"]
fn lab_of_a_child() -> Result<()> {
    let end = env::var(END).context("only its parent runs this test")?;
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let _server = app2.serve(&[80])?;
    let _capture = Capture::start(&node.network, &app1.interface)?;
    let watch = Watch::start(node, &[app1, app2], "{}\n", Place::Apart)?;
    let sleep = Process::spawn("sleep", app1.command("sleep").arg("600"))?;
    let daemons = watch.agent.iter().chain(&watch.collector);
    for id in daemons.chain([&sleep]).map(Process::id) {
        print!("{id} ");
    }
    let networks = [&node.network, &app1.network, &app2.network];
    let inodes = networks.map(|network| network.inode().map(|inode| inode.to_string()));
    let inodes = inodes.into_iter().collect::<Result<Vec<_>>>()?;
    println!("made, in {}", inodes.join(" "));
    match end.as_str() {
        "panic" => panic!("as asked"),
        "hang" => loop {
            thread::park();
        },
        _ => Ok(()),
    }
}

/// What a test could leave on the host itself.
#[derive(Debug, Eq, PartialEq)]
struct Host {
    links: BTreeSet<String>,
    named_namespaces: BTreeSet<String>,
    pins: BTreeSet<String>,
}

impl Host {
    fn now() -> Result<Self> {
        Ok(Self {
            links: names("/sys/class/net")?,
            named_namespaces: names("/run/netns")?,
            pins: names("/sys/fs/bpf")?,
        })
    }
}

fn names(directory: &str) -> Result<BTreeSet<String>> {
    if !Path::new(directory).exists() {
        return Ok(BTreeSet::new());
    }
    fs::read_dir(directory)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}

fn is_alive(id: u64) -> bool {
    let status = fs::read_to_string(format!("/proc/{id}/stat"));
    // The state follows the name, which is in parentheses; a zombie holds nothing any more.
    status.is_ok_and(|status| !status.contains(") Z "))
}

/// Processes that are in one of `namespaces`, or hold it open.
fn holders(namespaces: &[u64]) -> Result<BTreeSet<String>> {
    let names: Vec<_> = namespaces
        .iter()
        .map(|inode| format!("net:[{inode}]"))
        .collect();
    let mut holders = BTreeSet::new();
    for process in fs::read_dir("/proc")? {
        let process = process?.path();
        let descriptors = fs::read_dir(process.join("fd")).into_iter().flatten();
        let links = descriptors.flatten().map(|descriptor| descriptor.path());
        for link in links.chain([process.join("ns/net")]) {
            let target = fs::read_link(link).unwrap_or_default();
            if names.iter().any(|name| target == Path::new(name)) {
                holders.insert(process.display().to_string());
            }
        }
    }
    Ok(holders)
}
