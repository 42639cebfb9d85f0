//! The client's end of a transport.

use std::{fmt, str::FromStr, time::Duration};

use tonic::transport::{Channel, Endpoint};

use super::TransportError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A peer that went without a word, with its node say, is noticed after both of these.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(10);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(5);

/// The address of a server: `http://HOST:PORT` or `unix:PATH`.
#[derive(Clone, Debug)]
pub struct Remote {
    text: String,
    endpoint: Endpoint,
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
                uri.scheme_str() == Some("http")
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
        })
    }
}

impl fmt::Display for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

impl Remote {
    /// A channel that connects with its first request, and again whenever it must.
    #[must_use]
    pub fn connect_lazy(&self) -> Channel {
        self.endpoint.connect_lazy()
    }

    /// A channel that is connected.
    ///
    /// # Errors
    /// When nobody answers within five seconds.
    pub async fn connect(&self) -> Result<Channel, TransportError> {
        self.endpoint
            .connect()
            .await
            .map_err(|source| TransportError::Connect {
                remote: self.text.clone(),
                source,
            })
    }
}
