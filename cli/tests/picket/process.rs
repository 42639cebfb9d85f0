//! Runs `picket`, and fails rather than wait for ever.

use std::{
    process::{ExitStatus, Output, Stdio},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout, Command},
    time::timeout,
};

const DEADLINE: Duration = Duration::from_secs(30);

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_picket"));
    command
        .args(arguments)
        .env_remove("PICKET_SERVER")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    command
}

/// Runs it to its end.
pub(crate) async fn run(arguments: &[&str]) -> Output {
    within(command(arguments).output()).await.unwrap()
}

/// Runs it to its end; standard output when it succeeds.
pub(crate) async fn answer(arguments: &[&str]) -> String {
    let output = run(arguments).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {errors}");
    assert_eq!(errors, "", "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// One that is still running.
pub(crate) struct Running {
    child: Child,
    stdout: Option<Lines<BufReader<ChildStdout>>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn start(arguments: &[&str]) -> Self {
        let mut child = command(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap()).lines();
        let stderr = BufReader::new(child.stderr.take().unwrap()).lines();
        Self {
            child,
            stdout: Some(stdout),
            stderr,
        }
    }

    /// The next line of standard output.
    pub(crate) async fn line(&mut self) -> String {
        let stdout = self.stdout.as_mut().unwrap();
        within(stdout.next_line()).await.unwrap().unwrap()
    }

    /// The next line of standard error.
    pub(crate) async fn error_line(&mut self) -> String {
        within(self.stderr.next_line()).await.unwrap().unwrap()
    }

    /// Stops to read, as `head` does.
    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    pub(crate) async fn interrupt(&self) {
        let id = self.child.id().unwrap().to_string();
        let kill = Command::new("kill").args(["-INT", &id]).status();
        assert!(within(kill).await.unwrap().success());
    }

    /// Waits for its end: how it ended, and what was left to read.
    pub(crate) async fn end(mut self) -> (ExitStatus, String, String) {
        let status = within(self.child.wait()).await.unwrap();
        let mut out = String::new();
        if let Some(stdout) = self.stdout {
            within(stdout.into_inner().read_to_string(&mut out))
                .await
                .unwrap();
        }
        let mut errors = String::new();
        within(self.stderr.into_inner().read_to_string(&mut errors))
            .await
            .unwrap();
        (status, out, errors)
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(DEADLINE, future).await.expect("picket hangs")
}
