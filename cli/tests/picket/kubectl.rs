//! `kubectl picket`: with a kubectl that leads where a test wants, and fails as no cluster does when asked to.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::{Path, PathBuf},
    time::Duration,
};

use api::transport::{Listen, Reception};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
    time::timeout,
};

use crate::server::{Kind, Log, Server};

const DEADLINE: Duration = Duration::from_secs(30);

/// `picket` under kubectl's name for it, beside that kubectl.
struct Plugin {
    folder: TempDir,
}

impl Plugin {
    fn new(kubectl: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("kubectl");
        fs::write(&path, format!("#!/bin/sh\n{kubectl}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let picket = env!("CARGO_BIN_EXE_picket");
        symlink(picket, folder.path().join("kubectl-picket")).unwrap();
        Self { folder }
    }

    /// One that says that it forwards to the port, and waits; what it was called with is in `called`, and its id
    /// in `id`.
    fn forwarding(port: u16) -> Self {
        Self::new(&format!(
            "cd \"$(dirname \"$0\")\"\necho \"$*\" >> called\necho $$ > id.new\nmv id.new id\n\
             echo 'Forwarding from 127.0.0.1:{port} -> 7400'\nexec sleep 1000"
        ))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let folder = self.folder.path().display();
        let path = match self.path("kubectl").exists() {
            true => format!("{folder}:/usr/bin:/bin"),
            // There may be a real one elsewhere.
            false => folder.to_string(),
        };
        let mut command = Command::new(self.path("kubectl-picket"));
        command
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .kill_on_drop(true);
        command
    }

    async fn run(&self, arguments: &[&str]) -> (bool, String, String) {
        let output = timeout(DEADLINE, self.command(arguments).output());
        let output = output.await.unwrap().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, errors) = (text(&output.stdout), text(&output.stderr));
        (output.status.success(), out, errors)
    }

    fn kubectl(&self) -> Pid {
        let id = fs::read_to_string(self.path("id")).unwrap();
        Pid::from_raw(id.trim().parse().unwrap()).unwrap()
    }
}

async fn serve(log: &Log) -> (Server, u16) {
    let any = Listen::Tcp(([127, 0, 0, 1], 0).into());
    let server = Server::listening(any, Reception::default(), log).await;
    let port = server.address.rsplit(':').next().unwrap().parse().unwrap();
    (server, port)
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let waiting = async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, waiting).await.expect(what);
}

fn has_ended(pid: Pid) -> bool {
    test_kill_process(pid).is_err() || is_zombie(pid)
}

/// Nobody has asked yet how it ended.
fn is_zombie(pid: Pid) -> bool {
    let path = format!("/proc/{}/stat", pid.as_raw_nonzero());
    fs::read_to_string(Path::new(&path)).is_ok_and(|it| it.contains(") Z "))
}

#[tokio::test]
async fn it_finds_the_collector_by_itself_and_leaves_no_kubectl_behind() {
    let (_server, port) = serve(&Log::of(Kind::Collector)).await;
    let plugin = Plugin::forwarding(port);
    for (arguments, called) in [
        (
            &["status", "--insecure"][..],
            "--namespace picket port-forward --address 127.0.0.1 service/picket-collector :7400",
        ),
        (
            &[
                "status",
                "--insecure",
                "--service",
                "watch/sentry",
                "--context",
                "blue",
                "--kubeconfig",
                "k",
            ],
            "--kubeconfig k --context blue --namespace watch port-forward --address 127.0.0.1 service/sentry :7400",
        ),
    ] {
        let (is_well, out, errors) = plugin.run(arguments).await;
        assert!(is_well, "{errors}");
        assert!(out.contains("No node has published"), "{out}");
        let all = fs::read_to_string(plugin.path("called")).unwrap();
        assert_eq!(all.lines().last(), Some(called));
        let kubectl = plugin.kubectl();
        eventually("the end of kubectl", || has_ended(kubectl)).await;
    }
}

#[tokio::test]
async fn a_signal_ends_kubectl_too() {
    let (_server, port) = serve(&Log::of(Kind::Collector)).await;
    for signal in [Signal::TERM, Signal::HUP] {
        let plugin = Plugin::forwarding(port);
        let arguments = ["events", "--follow", "--insecure"];
        let mut picket = plugin.command(&arguments).spawn().unwrap();
        eventually("kubectl", || plugin.path("id").exists()).await;
        let kubectl = plugin.kubectl();
        let id = picket.id().and_then(|it| i32::try_from(it).ok());
        kill_process(Pid::from_raw(id.unwrap()).unwrap(), signal).unwrap();
        let status = timeout(DEADLINE, picket.wait()).await.unwrap().unwrap();
        assert!(!status.success(), "{signal:?}");
        eventually("the end of kubectl", || has_ended(kubectl)).await;
    }
}

#[tokio::test]
async fn a_kubectl_that_gives_up_is_started_anew_on_the_same_port() {
    let log = Log::of(Kind::Collector);
    let (_server, port) = serve(&log).await;
    let plugin = Plugin::forwarding(port);
    let mut command = plugin.command(&["events", "--follow", "--insecure"]);
    let mut picket = command
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    eventually("a subscription", || !log.filters().is_empty()).await;
    let first = plugin.kubectl();
    kill_process(first, Signal::KILL).unwrap();
    eventually("another kubectl", || plugin.kubectl() != first).await;
    let called = fs::read_to_string(plugin.path("called")).unwrap();
    let last = called.lines().last().unwrap_or_default();
    assert!(
        last.ends_with(&format!("service/picket-collector {port}:7400")),
        "{last}"
    );
    log.append(api::v1::subscribe_response::Item::Event(
        crate::server::event(1),
    ));
    let mut lines = BufReader::new(picket.stdout.take().unwrap()).lines();
    let line = timeout(DEADLINE, lines.next_line()).await.unwrap().unwrap();
    assert!(line.unwrap().ends_with("event 1"));
}

#[tokio::test]
async fn why_there_is_no_way_is_told_with_what_to_do() {
    let refusing = Plugin::new("echo 'error: services \"picket-collector\" not found' >&2\nexit 1");
    let silent = Plugin::new("exit 0");
    let missing = Plugin::new("exit 0");
    fs::remove_file(missing.path("kubectl")).unwrap();
    for (plugin, arguments, expected) in [
        (
            &refusing,
            &["status"][..],
            &[
                "services \"picket-collector\" not found",
                "kubectl -n picket get service",
                "--service NAMESPACE/NAME",
                "--server",
            ][..],
        ),
        (&silent, &["status"], &["it ended without a word"]),
        (
            &missing,
            &["events"],
            &["install it, or give the collector's address with --server"],
        ),
        (
            &refusing,
            &["status", "--server", "unix:/nowhere"],
            &["unix:/nowhere"],
        ),
        (&refusing, &["--help"], &[]),
        (
            &refusing,
            &["status", "--service", "picket"],
            &["it takes NAMESPACE/NAME"],
        ),
        (&refusing, &["nonsense"], &["Usage: kubectl picket"]),
    ] {
        let (is_well, out, errors) = plugin.run(arguments).await;
        if expected.is_empty() {
            assert!(is_well && out.contains("Usage: kubectl picket"), "{out}");
            continue;
        }
        assert!(!is_well, "{arguments:?}: {out}");
        for expected in expected {
            assert!(errors.contains(expected), "{arguments:?}: {errors}");
        }
    }
}
