//! The program itself: what it refuses to start with, and that killing it loses nothing.

use std::{
    fs,
    io::Read as _,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
};

use api::{
    transport::Remote,
    v1::{events_client::EventsClient, publish_response::Item},
};
use rustix::process::{Pid, Signal, kill_process};
use tonic::transport::Channel;

use crate::{
    agent::Agent,
    harness::{all, beginning, event, eventually, exists},
    subscriber::Subscriber,
};

pub(crate) struct Process {
    child: Child,
    socket: PathBuf,
}

impl Process {
    async fn start(folder: &Path) -> Self {
        Self::start_with(folder, &[]).await
    }

    pub(crate) async fn start_with(folder: &Path, arguments: &[&str]) -> Self {
        let socket = folder.join("picket.sock");
        let child = command(folder)
            .args(arguments)
            .arg("--listen")
            .arg(format!("unix:{}", socket.display()))
            .spawn()
            .unwrap();
        let process = Self { child, socket };
        process.channel().await;
        process
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) async fn channel(&self) -> Channel {
        eventually("the socket", async || exists(&self.socket)).await;
        let remote: Remote = format!("unix:{}", self.socket.display()).parse().unwrap();
        eventually("a connection", async || remote.connect().await.ok()).await
    }

    async fn wait(mut self) -> ExitStatus {
        eventually("the exit", async || self.child.try_wait().unwrap()).await
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// On free ports, unless a flag says otherwise.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket-collector"));
    command
        .env_clear()
        .env("PICKET_LISTEN", "127.0.0.1:0")
        .env("PICKET_METRICS", "127.0.0.1:0")
        .env("PICKET_PAGE", "127.0.0.1:0")
        .env("PICKET_LOG", "warn")
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Runs a command that is expected to end by itself.
pub(crate) async fn refused(command: &mut Command, code: i32, words: &[&str]) {
    let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let child = Process {
        child,
        socket: PathBuf::new(),
    };
    let status = child.wait().await;
    let mut message = String::new();
    stderr.read_to_string(&mut message).unwrap();
    assert_eq!(status.code(), Some(code), "{command:?}: {message}");
    let first = message.lines().next().unwrap_or_default();
    assert!(first.starts_with("error: "), "{command:?}: {message}");
    for word in words {
        assert!(message.contains(word), "{word} is not in {message}");
    }
    assert!(!message.contains("s3cret"), "{message}");
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    let mut agent = Agent::connect(process.channel().await, "n1").await.unwrap();
    for batch in 0..60 {
        let events = (1..=5).map(|it| event("n1", batch * 5 + it)).collect();
        agent.send_batch(events).await;
    }
    let mut acknowledged = 0;
    while acknowledged < 100 {
        acknowledged = agent.acknowledged().await.sequence;
    }
    drop(process);
    while let Ok(Item::Acknowledgement(late)) = agent.next().await {
        acknowledged = late.sequence;
    }

    let process = Process::start(folder.path()).await;
    let client = EventsClient::new(process.channel().await);
    let mut subscriber = Subscriber::open(client, beginning(), all()).await.unwrap();
    let kept = subscriber.sequences(usize::try_from(acknowledged).unwrap());
    assert!(kept.await.iter().copied().eq(1..=acknowledged));
    let again = Agent::connect(process.channel().await, "n1").await.unwrap();
    assert!(again.welcome >= acknowledged, "{}", again.welcome);
}

#[tokio::test]
async fn a_signal_ends_it_well() {
    for signal in [Signal::TERM, Signal::INT] {
        let folder = tempfile::tempdir().unwrap();
        let process = Process::start(folder.path()).await;
        let mut agent = Agent::connect(process.channel().await, "n1").await.unwrap();
        agent.publish([1]).await;
        let pid = Pid::from_child(&process.child);
        kill_process(pid, signal).unwrap();
        let socket = process.socket.clone();
        let status = process.wait().await;
        assert!(status.success(), "{signal:?}: {status}");
        assert!(!socket.exists(), "the socket goes with it");
    }
}

#[tokio::test]
async fn a_database_is_one_collectors_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path()).await;
    let words = ["picket.db", "another collector", "--database"];
    refused(&mut command(folder.path()), 1, &words).await;
    drop(process);
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    for flag in ["--listen", "--metrics", "--page"] {
        let mut command = command(folder.path());
        refused(command.args([flag, &taken]), 1, &[&taken, "another"]).await;
    }
}

#[tokio::test]
async fn what_it_cannot_use_is_named_with_the_next_step() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        (
            "pods.yaml",
            "pods:\n- {namespace: a, name: b, addresses: [10.0.0]}\n",
        ),
        ("unknown.yaml", "listn: []\n"),
        (
            "range.yaml",
            "correlate:\n  distributed_scan: {sources: 1}\n",
        ),
        ("bad.yaml", "# comment\nlisten: [nowhere]\n"),
        (
            "outputs.yaml",
            "outputs:\n- name: a\n  webhook: {url: 'https://s3cret', template: '{{ sumary }}'}\n",
        ),
        (
            "foreign.db",
            "no database, but long enough to have the header of one",
        ),
    ] {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let cases: [(&[&str], i32, &[&str]); 26] = [
        (
            &["--listen", "0.0.0.0:0"],
            2,
            &["0.0.0.0:0", "picket certs", "--insecure"],
        ),
        (
            &["--listen", "[::1]:0", "--listen", "[::]:0"],
            2,
            &["[::]:0", "--tls-cert"],
        ),
        (&["--nonsense"], 2, &["--nonsense"]),
        (
            &["--listen", "nowhere"],
            2,
            &["`nowhere`", "127.0.0.1:7400"],
        ),
        (&["--metrics", "nowhere"], 2, &["nowhere", "--metrics"]),
        (&["--page", "nowhere"], 2, &["`nowhere`", "127.0.0.1:7405"]),
        (
            &["--detectors-config-map", "picket/detectors"],
            2,
            &["--detectors", "--kubernetes"],
        ),
        (&["--log", "a=b=c"], 2, &["`a=b=c`", "collector=debug"]),
        (&["--log-format", "xml"], 2, &["xml", "json"]),
        (
            &["--config", "unknown.yaml"],
            2,
            &["unknown.yaml", "`listn`", "line 1"],
        ),
        (
            &["--config", "bad.yaml"],
            2,
            &["bad.yaml", "`nowhere`", "line 2"],
        ),
        (
            &["--config", "range.yaml"],
            2,
            &["distributed_scan.sources", "line 2", "2 to 256"],
        ),
        (
            &["--config", "missing.yaml"],
            2,
            &["missing.yaml", "--config"],
        ),
        (
            &["--pod-table", "pods.yaml"],
            2,
            &["pods.yaml:2", "`10.0.0`"],
        ),
        (
            &["--pod-table", "missing.yaml"],
            2,
            &["missing.yaml", "path"],
        ),
        (
            &["--database", "no/folder/picket.db"],
            1,
            &["no/folder", "--database"],
        ),
        (
            &["--database", "/proc/picket.db"],
            1,
            &["/proc/picket.db", "--database"],
        ),
        (
            &["--database", "postgres://picket:s3cret@127.0.0.1:x/log"],
            2,
            &["postgres://USER", "%XX"],
        ),
        (
            &["--database", "postgres://picket:s3cret@127.0.0.1:1/log"],
            1,
            &[
                "postgres://127.0.0.1:1/log",
                "--database-url-file",
                "refused",
            ],
        ),
        (
            &["--database-url-file", "missing.url"],
            2,
            &["missing.url", "permissions"],
        ),
        (
            &["--database-url-file", "unknown.yaml"],
            2,
            &["unknown.yaml", "postgres://"],
        ),
        (
            &["--outputs", "outputs.yaml"],
            2,
            &[
                "outputs.yaml",
                "line 2",
                "output `a`",
                "line 1 of the template",
            ],
        ),
        (
            &["--outputs", "missing.yaml"],
            2,
            &["missing.yaml", "--outputs"],
        ),
        (&["--retain", "month"], 2, &["`month`", "30d"]),
        (&["--retain-bytes", "much"], 2, &["`much`", "10GiB"]),
        (
            &["--database", "foreign.db"],
            1,
            &["foreign.db", "--database"],
        ),
    ];
    for (flags, code, words) in cases {
        refused(command(folder.path()).args(flags), code, words).await;
    }
}
