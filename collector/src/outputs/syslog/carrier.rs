//! Takes messages to a receiver, and finds out as far as one can whether it has them.
//!
//! Syslog has no acknowledgement. Over TCP and TLS each batch has a connection of its own, whose sending side is
//! closed after it: a receiver closes its own side when it has read all, and one that died resets it instead.

use std::{io, path::PathBuf, sync::Arc, time::Duration};

use rustls::{ClientConfig, pki_types::ServerName};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket, UnixDatagram},
    time::{sleep, timeout},
};
use tokio_rustls::TlsConnector;

use crate::outputs::refusal::{Reason, Refusal};

/// How long a receiver may take to close its side. One that does not is believed to have read all, since some never
/// do.
const CLOSES: Duration = Duration::from_secs(2);

/// A receiver that closed before it read anything is told by a reset, which comes a moment after what it closed with.
const RESET: Duration = Duration::from_millis(100);

/// The usual ports.
const PORT: u16 = 514;
const TLS_PORT: u16 = 6514;

/// Where a receiver is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum To {
    Udp(String, u16),
    Tcp(String, u16),
    Tls(String, u16),
    Unix(PathBuf),
}

impl To {
    pub(super) fn read(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is nowhere: write it like udp://host:{PORT}, tcp://host:{PORT}, tls://host:{TLS_PORT} or unix:/dev/log"
            )
        };
        if let Some(path) = text.strip_prefix("unix:") {
            return Ok(Self::Unix(path.into()));
        }
        let (scheme, place) = text.split_once("://").ok_or_else(wrong)?;
        let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
        let host = host.trim_matches(['[', ']']).to_owned();
        let port = port.parse().map_err(|_| wrong())?;
        match scheme {
            _ if host.is_empty() => Err(wrong()),
            "udp" => Ok(Self::Udp(host, port)),
            "tcp" => Ok(Self::Tcp(host, port)),
            "tls" => Ok(Self::Tls(host, port)),
            _ => Err(wrong()),
        }
    }

    pub(super) const fn is_tls(&self) -> bool {
        matches!(self, Self::Tls(..))
    }
}

#[derive(Debug)]
pub(super) struct Carrier {
    to: To,
    tls: Arc<ClientConfig>,
}

impl Carrier {
    pub(super) fn new(to: To, tls: ClientConfig) -> Self {
        Self {
            to,
            tls: Arc::new(tls),
        }
    }

    pub(super) async fn send(&self, lines: &[String]) -> Result<(), Refusal> {
        let sent = match &self.to {
            To::Udp(host, port) => udp(host, *port, lines).await,
            To::Unix(path) => unix(path, lines).await,
            To::Tcp(host, port) => match TcpStream::connect((host.as_str(), *port)).await {
                Ok(stream) => hand_over(stream, lines, |it| it).await,
                Err(error) => Err(error),
            },
            To::Tls(host, port) => self.tls(host, *port, lines).await,
        };
        sent.map_err(|error| match error.kind() {
            // EMSGSIZE has no kind of its own.
            _ if error.raw_os_error() == Some(TOO_LONG) => {
                Refusal::never(Reason::TooLarge, "it is longer than a datagram")
            }
            _ => Refusal::later(error.to_string()),
        })
    }

    async fn tls(&self, host: &str, port: u16, lines: &[String]) -> io::Result<()> {
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        let stream = TcpStream::connect((host, port)).await?;
        let connector = TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(name, stream).await?;
        hand_over(stream, lines, |it| it.get_ref().0).await
    }
}

/// `EMSGSIZE` of Linux.
const TOO_LONG: i32 = 90;

async fn hand_over<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: S,
    lines: &[String],
    tcp: impl Fn(&S) -> &TcpStream,
) -> io::Result<()> {
    let mut octets = String::new();
    for line in lines {
        octets += &format!("{} {line}", line.len());
    }
    stream.write_all(octets.as_bytes()).await?;
    stream.shutdown().await?;
    let mut said = [0; 512];
    let closed = async {
        loop {
            match stream.read(&mut said).await {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                // TCP was closed and TLS was not, which says as much.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    };
    if let Ok(closed) = timeout(CLOSES, closed).await {
        closed?;
        sleep(RESET).await;
    }
    tcp(&stream).take_error()?.map_or(Ok(()), Err)
}

async fn udp(host: &str, port: u16, lines: &[String]) -> io::Result<()> {
    let mut found = tokio::net::lookup_host((host, port)).await?;
    let to = found.next().ok_or(io::ErrorKind::NotFound)?;
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await?;
    socket.connect(to).await?;
    for line in lines {
        socket.send(line.as_bytes()).await?;
    }
    Ok(())
}

async fn unix(path: &std::path::Path, lines: &[String]) -> io::Result<()> {
    let socket = UnixDatagram::unbound()?;
    socket.connect(path)?;
    for line in lines {
        socket.send(line.as_bytes()).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tokio::net::TcpListener;

    use super::*;
    use crate::outputs::{
        http::{self, Authority},
        reader::Reader,
    };

    #[test]
    fn a_receiver_is_named_with_its_transport() {
        for (text, to) in [
            ("udp://host:514", Some(To::Udp("host".into(), 514))),
            ("tcp://[::1]:601", Some(To::Tcp("::1".into(), 601))),
            ("tls://host:6514", Some(To::Tls("host".into(), 6514))),
            ("unix:/dev/log", Some(To::Unix("/dev/log".into()))),
            ("host:514", None),
            ("tcp://:514", None),
            ("tcp://host", None),
            ("http://host:80", None),
        ] {
            assert_eq!(To::read(text).ok(), to, "{text}");
        }
    }

    async fn sent_to(serve: impl AsyncFnOnce(TcpStream) -> Vec<u8>) -> (bool, Vec<u8>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let to = To::Tcp("127.0.0.1".into(), port);
        let carrier = Carrier::new(to, tls(&Authority::default(), false));
        let lines = ["one".to_owned(), "\u{e9}".to_owned()];
        let served = async { serve(listener.accept().await.unwrap().0).await };
        let (sent, read) = tokio::join!(carrier.send(&lines), served);
        (sent.is_ok(), read)
    }

    fn tls(authority: &Authority, needed: bool) -> ClientConfig {
        http::tls(authority, needed, &mut Reader::new(Path::new(""))).unwrap()
    }

    #[tokio::test]
    async fn only_a_receiver_that_has_read_all_gives_a_receipt() {
        let all = async |mut stream: TcpStream| {
            let mut read = Vec::new();
            stream.read_to_end(&mut read).await.unwrap();
            read
        };
        let read = "3 one2 \u{e9}".as_bytes().to_vec();
        assert_eq!(sent_to(all).await, (true, read));
        // These die with what they had yet to read, or before it came, which the kernel tells by a reset.
        let early = async |_: TcpStream| Vec::new();
        assert_eq!(sent_to(early).await, (false, Vec::new()));
        let late = async |stream: TcpStream| {
            stream.peek(&mut [0]).await.unwrap();
            Vec::new()
        };
        assert_eq!(sent_to(late).await, (false, Vec::new()));
    }
}
