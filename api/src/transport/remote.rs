//! The client's end of a transport.

use std::{fmt, net::IpAddr, str::FromStr, sync::Arc, time::Duration};

use tonic::{
    Request,
    metadata::MetadataValue,
    transport::{Channel, Endpoint},
};

use super::{
    TransportError,
    connector::Connector,
    credentials::Credentials,
    secret::{self, Kind, Secret},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A peer that went without a word, with its node say, is noticed after both of these.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a server: `https://HOST:PORT`, `http://HOST:PORT` or `unix:PATH`.
#[derive(Clone, Debug)]
pub struct Remote {
    text: String,
    endpoint: Endpoint,
    credentials: Arc<Credentials>,
}

impl FromStr for Remote {
    type Err = TransportError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || TransportError::Remote { text: text.into() };
        let endpoint = Endpoint::from_shared(text.to_owned()).map_err(|_| bad())?;
        let complete = match text.strip_prefix("unix:") {
            Some(path) => !path.trim_start_matches('/').is_empty(),
            None => {
                let uri = endpoint.uri();
                matches!(uri.scheme_str(), Some("http" | "https"))
                    && uri.port().is_some()
                    && matches!(uri.path(), "" | "/")
                    && uri.query().is_none()
            }
        };
        if !complete {
            return Err(bad());
        }
        Ok(Self {
            text: text.into(),
            endpoint: endpoint
                .connect_timeout(CONNECT_TIMEOUT)
                .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
                .keep_alive_timeout(KEEP_ALIVE_TIMEOUT)
                .keep_alive_while_idle(true),
            credentials: Arc::default(),
        })
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Remote {
    /// The same, and says who asks. All files are read to see that they can be; each connection reads them
    /// again.
    ///
    /// # Errors
    /// When a file cannot be used, or the address and the credentials do not go together.
    pub fn with(self, credentials: Credentials) -> Result<Self, TransportError> {
        let remote = Self {
            credentials: Arc::new(credentials),
            ..self
        };
        remote.connector()?;
        if let Some((_, key)) = &remote.credentials.certificate {
            Secret::read(Kind::Key, key)?.warn_if_exposed();
        }
        if let Some(token) = &remote.credentials.token {
            secret::token(token)?;
        }
        Ok(remote)
    }

    /// A channel that is connected.
    ///
    /// # Errors
    /// When nobody answers within five seconds, or it is not who it should be.
    pub async fn connect(&self) -> Result<Channel, TransportError> {
        let connected = match self.connector()? {
            Some(connector) => self.endpoint.connect_with_connector(connector).await,
            None => self.endpoint.connect().await,
        };
        connected.map_err(|source| TransportError::Connect {
            remote: self.text.clone(),
            source,
        })
    }

    /// The request, with the bearer token as its file has it now.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn authorize<T>(&self, message: T) -> Result<Request<T>, TransportError> {
        let mut request = Request::new(message);
        if let Some(path) = &self.credentials.token {
            let bearer = format!("Bearer {}", secret::token(path)?);
            // The token is of ASCII that can be seen.
            if let Ok(mut value) = MetadataValue::try_from(bearer) {
                value.set_sensitive(true);
                request.metadata_mut().insert("authorization", value);
            }
        }
        Ok(request)
    }

    /// What TLS needs; none when it is not spoken.
    fn connector(&self) -> Result<Option<Connector>, TransportError> {
        let remote = || self.text.clone();
        let uri = self.endpoint.uri();
        let Some(host) = uri.host().filter(|_| !self.text.starts_with("unix:")) else {
            return Ok(None);
        };
        if uri.scheme_str() == Some("https") {
            let ca = self.credentials.ca.as_deref();
            let ca = ca.ok_or_else(|| TransportError::NoAuthority { remote: remote() })?;
            return Ok(Some(Connector::new(host, ca, &self.credentials)?));
        }
        if is_loopback(host) {
            return Ok(None);
        }
        if self.credentials.token.is_some() {
            return Err(TransportError::PlainToken { remote: remote() });
        }
        if self.credentials.insecure {
            return Ok(None);
        }
        Err(TransportError::Plain { remote: remote() })
    }
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let address = bare.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|it| it.to_canonical().is_loopback())
}
