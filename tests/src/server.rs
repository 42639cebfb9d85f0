//! A TCP server of the lab's own: it greets every client, and lets the client leave first.

use std::{
    io::{self, Read, Write},
    net::{Ipv6Addr, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, Result};
use rustix::net::{Shutdown as Half, shutdown};

use crate::namespace::Namespace;

const GREETING: &[u8] = b"hello\n";
const CLIENT_LIMIT: Duration = Duration::from_secs(2);

/// Listening sockets in a namespace, each with a thread that answers until this is dropped.
#[derive(Debug)]
pub struct Server {
    answered: Arc<AtomicU64>,
    listeners: Vec<(TcpListener, Option<JoinHandle<()>>)>,
}

impl Server {
    /// Listens on `ports` of every address in `network`.
    ///
    /// # Errors
    /// When a port is taken.
    pub fn start(network: &Namespace, ports: &[u16]) -> Result<Self> {
        let mut server = Self {
            answered: Arc::default(),
            listeners: Vec::new(),
        };
        for &port in ports {
            let listener = network
                .enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)))?
                .with_context(|| format!("cannot listen on port {port} of a pod"))?;
            let accepting = listener.try_clone()?;
            let answered = Arc::clone(&server.answered);
            let thread = thread::spawn(move || {
                while let Ok((client, _)) = accepting.accept() {
                    if greet(client).is_ok() {
                        answered.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
            server.listeners.push((listener, Some(thread)));
        }
        Ok(server)
    }

    /// Clients that were greeted and left in good order.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        for (listener, thread) in &mut self.listeners {
            // Linux wakes a blocked accept when its socket is shut down.
            let woken = shutdown(&*listener, Half::Both);
            if let (Ok(()), Some(thread)) = (woken, thread.take()) {
                thread.join().ok();
            }
        }
    }
}

/// Lets a client in the caller's namespace be greeted and leave; returns the port it used.
///
/// The port is not used again for a minute, because who leaves first waits in TIME-WAIT.
///
/// # Errors
/// When the server does not greet.
pub fn visit(server: SocketAddr) -> io::Result<u16> {
    let mut stream = TcpStream::connect(server)?;
    stream.set_read_timeout(Some(CLIENT_LIMIT))?;
    let mut greeting = [0; GREETING.len()];
    stream.read_exact(&mut greeting)?;
    if greeting != GREETING {
        return Err(io::Error::other("that is no greeting"));
    }
    Ok(stream.local_addr()?.port())
}

fn greet(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(CLIENT_LIMIT))?;
    client.write_all(GREETING)?;
    client.read_to_end(&mut Vec::new())?;
    Ok(())
}
