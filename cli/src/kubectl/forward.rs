//! `kubectl port-forward` on a free port of this machine, started anew on the same one when it ends.

use std::{
    io,
    process::Stdio,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use thiserror::Error;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines},
    process::{Child, ChildStdout, Command},
    task::JoinHandle,
    time::{sleep, timeout},
};

use super::service::{Forwarded, Service};
use crate::palette::harmless;

/// gRPC of the collector's service.
const PORT: u16 = 7400;

const READY: &str = "Forwarding from 127.0.0.1:";

/// kubectl asks the API server first, which may be far.
const PATIENCE: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_secs(1);

/// Of what kubectl complained of last.
const LONGEST: usize = 500;

/// While it lives, kubectl forwards.
#[derive(Debug)]
pub(crate) struct Forward {
    pub(crate) port: u16,
    /// Of the service, within the cluster.
    pub(crate) name: String,
    keeper: JoinHandle<()>,
}

#[derive(Debug, Error)]
pub enum KubectlError {
    #[error(
        "cannot start kubectl, which leads to the collector: install it, or give the collector's address with --server"
    )]
    Start(#[source] io::Error),
    #[error(
        "kubectl cannot forward to service {name} of namespace {namespace}: {said}; see `kubectl -n {namespace} get service {name}`, \
         name another with --service NAMESPACE/NAME, or give the collector's address with --server"
    )]
    Forward {
        namespace: String,
        name: String,
        said: String,
    },
}

/// A kubectl that forwards.
struct Running {
    child: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    port: u16,
}

impl Forward {
    /// Returns once the port is open.
    pub(crate) async fn start(forwarded: Forwarded) -> Result<Self, KubectlError> {
        let running = start(&forwarded, None).await?;
        let port = running.port;
        let Service { namespace, name } = &forwarded.service;
        let name = format!("{name}.{namespace}.svc");
        let keeper = tokio::spawn(keep(forwarded, running));
        Ok(Self { port, name, keeper })
    }
}

impl Drop for Forward {
    /// With the task goes the child, which is killed then.
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

/// kubectl gives up with the pod that it forwards to: the next one may be another's.
async fn keep(forwarded: Forwarded, mut running: Running) {
    let port = running.port;
    loop {
        // It tells of each connection, and would wait for a reader.
        while let Ok(Some(_)) = running.stdout.next_line().await {}
        // How it ended says nothing more.
        running.child.wait().await.ok();
        running = loop {
            sleep(PAUSE).await;
            if let Ok(running) = start(&forwarded, Some(port)).await {
                break running;
            }
        };
    }
}

async fn start(forwarded: &Forwarded, port: Option<u16>) -> Result<Running, KubectlError> {
    let mut child = command(forwarded, port)
        .spawn()
        .map_err(KubectlError::Start)?;
    let said = Arc::new(Mutex::new(String::new()));
    let errors = child.stderr.take().map(|it| listen(it, Arc::clone(&said)));
    let stdout = child.stdout.take();
    let failed = |said: String| KubectlError::Forward {
        namespace: forwarded.service.namespace.clone(),
        name: forwarded.service.name.clone(),
        said,
    };
    let Some(stdout) = stdout else {
        return Err(failed("it has no output".to_owned()));
    };
    let mut stdout = BufReader::new(stdout).lines();
    let ready = async {
        while let Ok(Some(line)) = stdout.next_line().await {
            let rest = line.strip_prefix(READY).and_then(|it| it.split(' ').next());
            if let Some(port) = rest.and_then(|it| it.parse().ok()) {
                return Some(port);
            }
        }
        None
    };
    match timeout(PATIENCE, ready).await {
        Ok(Some(port)) => Ok(Running {
            child,
            stdout,
            port,
        }),
        Ok(None) => {
            if let Some(errors) = errors {
                // The last word of one that ended.
                timeout(PAUSE, errors).await.ok();
            }
            let said = said.lock().unwrap_or_else(PoisonError::into_inner);
            Err(failed(match said.is_empty() {
                true => "it ended without a word".to_owned(),
                false => harmless(&said),
            }))
        }
        Err(_) => Err(failed(format!("it said nothing for {PATIENCE:?}"))),
    }
}

fn command(forwarded: &Forwarded, port: Option<u16>) -> Command {
    let mut command = Command::new("kubectl");
    if let Some(kubeconfig) = &forwarded.kubeconfig {
        command.arg("--kubeconfig").arg(kubeconfig);
    }
    if let Some(context) = &forwarded.context {
        command.args(["--context", context]);
    }
    let local = port.map_or_else(String::new, |it| it.to_string());
    command
        .args(["--namespace", &forwarded.service.namespace])
        .args(["port-forward", "--address", "127.0.0.1"])
        .arg(format!("service/{}", forwarded.service.name))
        .arg(format!("{local}:{PORT}"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Keeps what it says last.
fn listen(
    stderr: impl AsyncRead + Send + Unpin + 'static,
    said: Arc<Mutex<String>>,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            *said = line.trim().chars().take(LONGEST).collect();
        }
    })
}
