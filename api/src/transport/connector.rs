//! Connects over TLS.

use std::{
    future::poll_fn,
    io,
    path::{Path, PathBuf},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, client::Resumption, pki_types::ServerName, version::TLS13};
use tokio::{io::AsyncBufRead as _, net::TcpStream, time::timeout};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tonic::codegen::http::Uri;
use tower_service::Service;

use super::{
    credentials::Credentials,
    secret::{Kind, Secret, SecretError},
    tls::{PROTOCOL, provider, roots, unfit},
};

/// How long a connection waits for the first word of its server.
const FIRST_WORD: Duration = Duration::from_secs(1);

/// Connects to one host over TLS, with the secrets as they are when it is made.
#[derive(Clone, Debug)]
pub struct Dialer {
    config: Arc<ClientConfig>,
    host: String,
    name: ServerName<'static>,
}

impl Dialer {
    /// To a host whose certificate the authorities in `ca` sign, as nobody in particular.
    ///
    /// # Errors
    /// When the file cannot be used, or the host is no name.
    pub fn new(host: &str, ca: &Path) -> Result<Self, SecretError> {
        Self::with(host, host, ca, None, &[])
    }

    fn with(
        host: &str,
        name: &str,
        ca: &Path,
        own: Option<&(PathBuf, PathBuf)>,
        protocols: &[&[u8]],
    ) -> Result<Self, SecretError> {
        let authority = Secret::read(Kind::Authority, ca)?;
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(&[&TLS13])
            .map_err(|error| authority.nonsense(error.to_string()))?
            .with_root_certificates(roots(&authority)?);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => {
                let certificate = Secret::read(Kind::Certificate, certificate)?;
                let key = Secret::read(Kind::Key, key)?;
                let own = builder.with_client_auth_cert(certificate.certificates()?, key.key()?);
                own.map_err(|error| key.nonsense(unfit(&error)))?
            }
        };
        config.alpn_protocols = protocols.iter().map(|it| it.to_vec()).collect();
        config.resumption = Resumption::disabled();
        let bare = |text: &str| {
            let text = text.trim_start_matches('[').trim_end_matches(']');
            text.to_owned()
        };
        let name = bare(name);
        Ok(Self {
            config: Arc::new(config),
            host: bare(host),
            name: ServerName::try_from(name.clone()).map_err(|error| {
                authority.nonsense(format!("it signs no host `{name}`: {error}"))
            })?,
        })
    }

    /// Connects, and sees that the certificate is the host's.
    ///
    /// # Errors
    /// When nobody answers, or somebody else.
    pub async fn dial(&self, port: u16) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect((self.host.as_str(), port)).await?;
        stream.set_nodelay(true)?;
        let tls = TlsConnector::from(Arc::clone(&self.config));
        tls.connect(self.name.clone(), stream).await
    }
}

/// Connects a channel.
pub(super) struct Connector(Dialer);

impl Connector {
    pub(super) fn new(
        host: &str,
        ca: &Path,
        credentials: &Credentials,
    ) -> Result<Self, SecretError> {
        let own = credentials.certificate.as_ref();
        let name = credentials.name.as_deref().unwrap_or(host);
        Dialer::with(host, name, ca, own, &[PROTOCOL]).map(Self)
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<TlsStream<TcpStream>>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let dialer = self.0.clone();
        Box::pin(async move {
            let mut stream = dialer.dial(uri.port_u16().unwrap_or(443)).await?;
            // A server of HTTP/2 speaks first; one that is slow to is heard later.
            if let Ok(heard) = timeout(FIRST_WORD, heard(&mut stream)).await {
                heard?;
            }
            Ok(TokioIo::new(stream))
        })
    }
}

/// In TLS 1.3 a server tells only after the handshake that it refuses the client's certificate; who writes
/// meanwhile may learn no more than that the connection broke.
async fn heard(stream: &mut TlsStream<TcpStream>) -> io::Result<()> {
    let mut stream = Pin::new(stream);
    let closed = poll_fn(|cx| {
        let filled = stream.as_mut().poll_fill_buf(cx);
        filled.map_ok(<[u8]>::is_empty)
    });
    match closed.await? {
        true => Err(io::ErrorKind::UnexpectedEof.into()),
        false => Ok(()),
    }
}
