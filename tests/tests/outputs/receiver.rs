//! An HTTP server that takes what it is sent, or does to it what a test says; it may go away and come back.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
};
use tokio::{runtime::Builder, sync::oneshot};

const LIMIT: Duration = Duration::from_secs(10);

/// What came.
#[derive(Clone, Debug)]
pub(crate) struct Posted {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Posted {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.and_then(|it| it.to_str().ok()).unwrap_or_default()
    }
}

/// What is answered; what is not taken is forgotten.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer {
    Take,
    Refuse(u16),
    /// As `Retry-After` says, in seconds.
    Later(u16, u64),
    /// It is taken, and nobody learns of it.
    TakeAndBreak,
}

type Judge = Box<dyn FnMut(&Posted) -> Answer + Send>;

struct Shared {
    judge: Mutex<Judge>,
    taken: Mutex<Vec<Posted>>,
}

/// The server, at an address that stays.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

impl Receiver {
    pub(crate) fn start(judge: impl FnMut(&Posted) -> Answer + Send + 'static) -> Result<Self> {
        let shared = Arc::new(Shared {
            judge: Mutex::new(Box::new(judge)),
            taken: Mutex::default(),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let mut receiver = Self {
            address,
            shared,
            running: None,
        };
        receiver.serve(listener)?;
        Ok(receiver)
    }

    /// Ends all connections, and takes no more.
    pub(crate) fn go_away(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.send(()).ok();
            thread.join().ok();
        }
    }

    pub(crate) fn come_back(&mut self) -> Result<()> {
        let listener = TcpListener::bind(self.address).context("the port was taken meanwhile")?;
        self.serve(listener)
    }

    pub(crate) fn taken(&self) -> Vec<Posted> {
        lock(&self.shared.taken).clone()
    }

    pub(crate) fn count(&self) -> usize {
        lock(&self.shared.taken).len()
    }

    fn serve(&mut self, listener: TcpListener) -> Result<()> {
        listener.set_nonblocking(true)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let routes = Router::new()
            .fallback(post)
            .with_state(Arc::clone(&self.shared));
        let thread = thread::spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                    return;
                };
                tokio::select! {
                    served = axum::serve(listener, routes) => drop(served),
                    _ = stopped => {}
                }
            });
            // Connections end with it.
            runtime.shutdown_background();
        });
        self.running = Some((stop, thread));
        Ok(())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.go_away();
    }
}

async fn post(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let posted = Posted { headers, body };
    let answer = lock(&shared.judge)(&posted);
    let status = |code| StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer {
        Answer::Take => {
            lock(&shared.taken).push(posted);
            StatusCode::NO_CONTENT.into_response()
        }
        Answer::Refuse(code) => status(code).into_response(),
        Answer::Later(code, seconds) => {
            (status(code), [("retry-after", seconds.to_string())]).into_response()
        }
        Answer::TakeAndBreak => {
            lock(&shared.taken).push(posted);
            StatusCode::BAD_GATEWAY.into_response()
        }
    }
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is served there.
pub(crate) fn get(address: SocketAddr, path: &str) -> Result<String> {
    use std::io::{Read as _, Write as _};
    let mut stream = std::net::TcpStream::connect_timeout(&address, LIMIT)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: here\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut served = String::new();
    stream.read_to_string(&mut served)?;
    let (head, body) = served.split_once("\r\n\r\n").context("no body")?;
    anyhow::ensure!(head.contains(" 200 "), "{head}");
    Ok(body.to_owned())
}

/// A port that nobody has, for a server that must be told one.
pub(crate) fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    Ok(listener.local_addr()?.port())
}
