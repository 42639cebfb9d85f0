//! Requests to a destination that speaks HTTP, and what its answers mean.

use std::{collections::BTreeMap, fmt, path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, StatusCode, Uri,
    header::{
        AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER, USER_AGENT,
    },
};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};

use super::{
    reader::Reader,
    refusal::{Reason, Refusal, Sent},
};
use crate::store::chain;

const CONNECT: Duration = Duration::from_secs(5);

/// A connection that is not used is closed, before whoever is in between forgets it.
const IDLE: Duration = Duration::from_secs(30);

/// The longest that a destination may keep us away.
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// What goes with each request.
#[derive(Debug, Default)]
pub(super) struct Headers {
    pub(super) headers: BTreeMap<String, String>,
    /// A bearer token.
    pub(super) token_file: Option<PathBuf>,
}

/// Who vouches for the server; those that the system trusts by default.
#[derive(Debug, Default)]
pub(super) struct Authority {
    pub(super) ca_file: Option<PathBuf>,
}

/// Where requests go, and what goes with each.
pub(super) struct Http<B = Full<Bytes>> {
    pub(super) client: Client<HttpsConnector<HttpConnector>, B>,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// The address may be a secret.
impl<B> fmt::Debug for Http<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").finish_non_exhaustive()
    }
}

/// Which HTTP is spoken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Version {
    One,
    Two,
}

impl<B: hyper::body::Body + Send> Http<B>
where
    B::Data: Send,
{
    /// Checks all of it.
    pub(super) fn new(
        url: &str,
        headers: &Headers,
        authority: &Authority,
        version: Version,
        reader: &mut Reader<'_>,
    ) -> Result<Self, String> {
        let uri = checked(url)?;
        let mut map = HeaderMap::new();
        let agent = concat!("picket-collector/", env!("CARGO_PKG_VERSION"));
        map.insert(USER_AGENT, HeaderValue::from_static(agent));
        for (name, value) in &headers.headers {
            let named = name.parse::<HeaderName>();
            let named = named.map_err(|_| format!("`{name}` is no name of a header"))?;
            let value = HeaderValue::from_str(value);
            let value = value.map_err(|_| format!("the header `{name}` has no value of one"))?;
            map.insert(named, value);
        }
        if let Some(path) = &headers.token_file {
            if uri.scheme_str() == Some("http") && !is_local(&uri) {
                return Err("a token is not sent without TLS: write https://".into());
            }
            let bearer = format!("Bearer {}", reader.secret(path)?);
            let bearer = HeaderValue::from_str(&bearer);
            let mut bearer = bearer.map_err(|_| "the token is none".to_owned())?;
            bearer.set_sensitive(true);
            map.insert(AUTHORIZATION, bearer);
        }
        let mut connector = HttpConnector::new();
        connector.enforce_http(false);
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT));
        let builder = HttpsConnectorBuilder::new()
            .with_tls_config(tls(authority, uri.scheme_str() == Some("https"), reader)?)
            .https_or_http();
        let (connector, two) = match version {
            Version::One => (builder.enable_http1().wrap_connector(connector), false),
            Version::Two => (builder.enable_http2().wrap_connector(connector), true),
        };
        let client = Client::builder(TokioExecutor::new())
            .timer(TokioTimer::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .http2_only(two)
            .build(connector);
        Ok(Self {
            client,
            uri,
            headers: map,
        })
    }
}

impl Http {
    /// Posts a body, with these headers besides.
    pub(super) async fn post(
        &self,
        body: impl Into<Bytes>,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
    ) -> Sent {
        let mut request = Request::new(Full::new(body.into()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.uri.clone();
        request.headers_mut().extend(headers);
        // What the configuration says wins.
        for (name, value) in &self.headers {
            request.headers_mut().insert(name, value.clone());
        }
        let answer = self.client.request(request).await;
        let answer = answer.map_err(|error| Refusal::later(chain(&error)))?;
        judged(answer.status(), answer.headers())
    }
}

/// What an answer means. Credentials that are wrong are mended by people, and so nothing is given up for them.
fn judged(status: StatusCode, headers: &HeaderMap) -> Sent {
    let why = format!("it answers {status}");
    let after = headers.get(RETRY_AFTER).and_then(rest);
    match status {
        _ if status.is_success() => Ok(0),
        StatusCode::UNAUTHORIZED
        | StatusCode::PROXY_AUTHENTICATION_REQUIRED
        | StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_EARLY
        | StatusCode::TOO_MANY_REQUESTS => Err(Refusal::Later { why, after }),
        StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::never(Reason::TooLarge, why)),
        _ if status.is_client_error() => Err(Refusal::never(Reason::Refused, why)),
        _ if headers.contains_key(LOCATION) => Err(Refusal::later(format!(
            "{why}, to go elsewhere: write the address that it names"
        ))),
        _ => Err(Refusal::Later { why, after }),
    }
}

/// In seconds, or a date, of RFC 9110.
fn rest(value: &HeaderValue) -> Option<Duration> {
    let text = value.to_str().ok()?;
    let rest = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = httpdate::parse_http_date(text).ok()?;
            at.duration_since(super::clock::now()).ok()?
        }
    };
    Some(rest.min(LONGEST_REST))
}

fn checked(url: &str) -> Result<Uri, String> {
    // What is wrong with it stays out: it may be a secret.
    let uri: Uri = url
        .parse()
        .map_err(|_| "the URL is none: write one like https://host/path".to_owned())?;
    let known = matches!(uri.scheme_str(), Some("http" | "https"));
    let Some(authority) = uri.authority().filter(|_| known) else {
        return Err("the URL is none: write one like https://host/path".into());
    };
    if authority.as_str().contains('@') {
        return Err("the URL has a password in it: name a token_file instead".into());
    }
    Ok(uri)
}

fn is_local(uri: &Uri) -> bool {
    let host = uri.host().unwrap_or_default();
    let bare = host.trim_matches(['[', ']']);
    host == "localhost"
        || bare
            .parse()
            .is_ok_and(|it: std::net::IpAddr| it.is_loopback())
}

/// Believes the authorities of the file, or else those of the system.
pub(super) fn tls(
    authority: &Authority,
    needed: bool,
    reader: &mut Reader<'_>,
) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &authority.ca_file {
        let text = reader.text(path)?;
        for certificate in CertificateDer::pem_slice_iter(text.as_bytes()) {
            let added = certificate.map(|it| roots.add(it));
            if !matches!(added, Ok(Ok(()))) {
                return Err(format!("{} is no PEM file of certificates", path.display()));
            }
        }
    } else if needed {
        let native = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(native.certs);
    }
    if needed && roots.is_empty() {
        return Err(
            "nobody vouches for a server here: name the certificate of its authority with ca_file"
                .into(),
        );
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| format!("TLS cannot be spoken: {error}"))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_whether_to_send_again() {
        let later = |status: u16, asked: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(asked) = asked {
                headers.insert(RETRY_AFTER, HeaderValue::from_str(asked).unwrap());
            }
            match judged(StatusCode::from_u16(status).unwrap(), &headers) {
                Ok(_) => None,
                Err(Refusal::Later { after, .. }) => Some(Ok(after.map(|it| it.as_secs()))),
                Err(Refusal::Never { reason, .. }) => Some(Err(reason)),
            }
        };
        for (status, asked, expected) in [
            (200, None, None),
            (204, None, None),
            (302, None, Some(Ok(None))),
            (400, None, Some(Err(Reason::Refused))),
            (401, None, Some(Ok(None))),
            (404, None, Some(Err(Reason::Refused))),
            (408, None, Some(Ok(None))),
            (413, None, Some(Err(Reason::TooLarge))),
            (429, Some("7"), Some(Ok(Some(7)))),
            (429, Some("soon"), Some(Ok(None))),
            (503, Some("99999999"), Some(Ok(Some(3600)))),
            (503, Some("Fri, 31 Dec 1999 23:59:59 GMT"), Some(Ok(None))),
            (500, None, Some(Ok(None))),
        ] {
            assert_eq!(later(status, asked), expected, "{status} {asked:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_url_does_not_tell_it() {
        for wrong in [
            "",
            "host",
            "ftp://s3cret",
            "https://u:s3cret@host/",
            "http://s3 cret/",
        ] {
            let error = checked(wrong).unwrap_err();
            assert!(!error.contains("s3"), "{error}");
        }
        assert!(is_local(&checked("http://[::1]:9/").unwrap()));
        assert!(!is_local(&checked("http://[2001:db8::1]:9/").unwrap()));
    }
}
