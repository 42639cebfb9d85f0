//! Bad input to the real binaries: a clear error that names the next step, and the right exit code.

use std::{fs, net::TcpListener, path::Path, process::Command, time::Duration};

use anyhow::{Result, ensure};
use tests::{
    Namespace, Place, Process, Story, Watch, binary, guarded, run, wait_for, without_root,
};

const LIMIT: Duration = Duration::from_secs(20);
const CONFIGURATION: i32 = 2;
const RUN: i32 = 1;

/// Runs a program of ours in `network` to its end, which must be `code` with one clear error.
fn refuses(
    network: &Namespace,
    program: &str,
    arguments: &[&str],
    code: i32,
    says: &[&str],
) -> Result<()> {
    let mut command = network.command(binary(program)?);
    check(program, command.args(arguments), code, says)
}

fn check(program: &str, command: &mut Command, code: i32, says: &[&str]) -> Result<()> {
    let finished = run(program, command, LIMIT)?;
    let said = &finished.stderr;
    ensure!(
        finished.status.code() == Some(code),
        "{command:?}: {}\n{said}",
        finished.status
    );
    for text in says {
        ensure!(
            said.contains(text),
            "{command:?} does not say {text:?}:\n{said}"
        );
    }
    ensure!(
        said.contains("error: "),
        "{command:?} says no error:\n{said}"
    );
    ensure!(!said.contains("panicked"), "{command:?}:\n{said}");
    Ok(())
}

fn file(directory: &Path, name: &str, content: &str) -> Result<String> {
    let path = directory.join(name);
    fs::write(&path, content)?;
    Ok(path.display().to_string())
}

#[test]
fn bad_configuration_is_refused_before_anything_is_bound() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let network = Namespace::new()?;
    let directory = tempfile::tempdir()?;
    let write = |name, content| file(directory.path(), name, content);
    let unknown_key = write("unknown.yaml", "colour: red\n")?;
    let zero = write(
        "zero.yaml",
        "detectors: {port_scan: {failed_ports_per_minute: 0}}\n",
    )?;
    let malformed = write(
        "pods.yaml",
        "pods:\n- {namespace: a, name: b, addresses: [10.244.1]}\n",
    )?;
    let misspelled = write(
        "keys.yaml",
        "pods:\n- {namespace: a, nane: b, addresses: [10.0.0.1]}\n",
    )?;
    let twice = write(
        "twice.yaml",
        "pods:\n- {namespace: a, name: b, addresses: [10.0.0.1]}\n- {namespace: a, name: c, addresses: [10.0.0.1]}\n",
    )?;
    let cases: [(&str, &[&str], &[&str]); 13] = [
        ("picket-agent", &["--colour"], &["--colour"]),
        (
            "picket-agent",
            &["--config", "/nowhere.yaml"],
            &["/nowhere.yaml"],
        ),
        ("picket-agent", &["--config", &unknown_key], &["colour"]),
        (
            "picket-agent",
            &["--config", &zero],
            &["failed_ports_per_minute", "0"],
        ),
        ("picket-agent", &["--tick", "1ms"], &["tick", "10ms"]),
        (
            "picket-agent",
            &["--collector", "nonsense"],
            &["nonsense", "unix:"],
        ),
        (
            "picket-agent",
            &["--pod-table", &malformed],
            &["pods.yaml", "10.244.1"],
        ),
        ("picket-collector", &["--colour"], &["--colour"]),
        ("picket-collector", &["--config", &unknown_key], &["colour"]),
        (
            "picket-collector",
            &["--listen", "nonsense"],
            &["nonsense", "127.0.0.1:7400"],
        ),
        (
            "picket-collector",
            &["--pod-table", &malformed],
            &["pods.yaml", "10.244.1"],
        ),
        (
            "picket-collector",
            &["--pod-table", &misspelled],
            &["keys.yaml", "nane"],
        ),
        (
            "picket-collector",
            &["--pod-table", &twice],
            &["twice.yaml", "10.0.0.1"],
        ),
    ];
    for (program, arguments, says) in cases {
        refuses(&network, program, arguments, CONFIGURATION, says)?;
    }
    Ok(())
}

#[test]
fn a_taken_port_is_named() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let network = Namespace::new()?;
    let directory = tempfile::tempdir()?;
    let database = directory.path().join("picket.db").display().to_string();
    for (program, port, arguments) in [
        ("picket-agent", 7401, vec![]),
        ("picket-agent", 7403, vec![]),
        ("picket-collector", 7400, vec!["--database", &database]),
        ("picket-collector", 7402, vec!["--database", &database]),
    ] {
        let _taken = network.enter(|| TcpListener::bind(("127.0.0.1", port)))??;
        let says = [&format!("127.0.0.1:{port}"), "choose another"];
        refuses(&network, program, &arguments, RUN, &says)?;
    }
    Ok(())
}

#[test]
fn an_agent_without_root_says_which_rights_it_needs() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    // Somewhere that everybody may read, unlike the directory this was built into.
    let directory = tempfile::tempdir_in("/tmp")?;
    let agent = directory.path().join("picket-agent");
    fs::copy(binary("picket-agent")?, &agent)?;
    run(
        "chmod",
        guarded("chmod").arg("755").arg(directory.path()),
        LIMIT,
    )?
    .success()?;
    let network = Namespace::new()?;
    let mut command = network.command("setpriv");
    command.args([
        "--reuid",
        "65534",
        "--regid",
        "65534",
        "--clear-groups",
        "--",
    ]);
    check(
        "picket-agent",
        command.arg(agent).args(["--pin", "none"]),
        RUN,
        &["root", "BPF", "NET_ADMIN"],
    )
}

#[test]
fn an_agent_whose_collector_is_away_watches_on() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let mut command = story.node.network.command(binary("picket-agent")?);
    command.args([
        "--node",
        "node1",
        "--collector",
        "unix:/nowhere/collector.sock",
        "--spool",
        "none",
        "--pin",
        "none",
    ]);
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    agent.wait_for_line("/nowhere/collector.sock", LIMIT)?;
    ensure!(agent.is_running()?, "it gave up");
    let status = agent.terminate(LIMIT)?;
    ensure!(status.success(), "{status}");
    Ok(())
}

#[test]
fn a_node_that_the_collector_does_not_know_is_told_so() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let story = Story::new()?;
    let Story { app1, app2, node } = &story;
    let watch = Watch::start(node, &[app1, app2], "{}\n", Place::Apart)?;
    let stranger = Namespace::new()?;
    let mut command = stranger.command(binary("picket-agent")?);
    command.args([
        "--node",
        "stranger",
        "--collector",
        &watch.collector_address(),
        "--spool",
        "none",
        "--pin",
        "none",
    ]);
    let mut agent = Process::spawn("picket-agent", &mut command)?;
    let line = wait_for("the refusal", LIMIT, || {
        Ok(Some(agent.wait_for_line("stranger", LIMIT)?))
    })?;
    ensure!(agent.is_running()?, "it gave up: {line}");
    Ok(())
}
