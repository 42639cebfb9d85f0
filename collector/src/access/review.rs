//! One question to the API server of Kubernetes: whose token is this?

use std::{
    env,
    error::Error,
    io, iter,
    path::{Path, PathBuf},
    str::FromStr,
};

use api::transport::{Dialer, SecretError, token};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, body::Bytes, client::conn::http1};
use hyper_util::rt::TokioIo;
use serde::Deserialize;

/// Whom the token of an agent must be meant for.
const AUDIENCE: &str = "picket";
/// Where Kubernetes puts what its API server asks of a pod.
const FOLDER: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
const LARGEST: usize = 1 << 20;

/// Whose tokens the agents have, and who can tell.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceAccount {
    /// As in `system:serviceaccount:NAMESPACE:NAME`.
    user: String,
    host: String,
    port: u16,
    folder: PathBuf,
}

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum ReviewError {
    /// The token is not one of an agent.
    #[error("the token is no agent's: {0}")]
    Refused(String),
    /// The API server does not answer.
    #[error("cannot ask the API server whose token it is: {0}; try again")]
    Away(String),
    /// The account is none.
    #[error("`{0}` is no service account; write it like picket:picket-agent")]
    Account(String),
    /// Nothing says where the API server is.
    #[error(
        "nothing says where the API server is: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are set in pods only"
    )]
    NoServer,
    /// A secret of the collector's own cannot be used.
    #[error(transparent)]
    Secret(#[from] SecretError),
}

impl ServiceAccount {
    /// That of `NAMESPACE:NAME`, by the API server of this pod's cluster.
    ///
    /// # Errors
    /// When the account is none, or this is no pod with a token of its own.
    pub fn of_pod(account: &str) -> Result<Self, ReviewError> {
        let host = env::var("KUBERNETES_SERVICE_HOST");
        let port = env::var("KUBERNETES_SERVICE_PORT").ok();
        let port = port.and_then(|it| u16::from_str(&it).ok());
        let (Ok(host), Some(port)) = (host, port) else {
            return Err(ReviewError::NoServer);
        };
        Self::at(account, &host, port, Path::new(FOLDER))
    }

    /// The same by another server; the folder holds `ca.crt` and `token`.
    ///
    /// # Errors
    /// When the account is none, or a file cannot be used.
    pub fn at(account: &str, host: &str, port: u16, folder: &Path) -> Result<Self, ReviewError> {
        let parts = account.split_once(':');
        let parts = parts
            .filter(|(space, name)| !space.is_empty() && !name.is_empty() && !name.contains(':'));
        let (space, name) = parts.ok_or_else(|| ReviewError::Account(account.into()))?;
        let account = Self {
            user: format!("system:serviceaccount:{space}:{name}"),
            host: host.into(),
            port,
            folder: folder.into(),
        };
        account.dialer()?;
        token(&account.folder.join("token"))?;
        Ok(account)
    }

    fn dialer(&self) -> Result<Dialer, SecretError> {
        Dialer::new(&self.host, &self.folder.join("ca.crt"))
    }

    /// The node whose agent has this token.
    pub(super) async fn review(&self, bearer: &str) -> Result<String, ReviewError> {
        let own = token(&self.folder.join("token"))?;
        let stream = self
            .dialer()?
            .dial(self.port)
            .await
            .map_err(|error| away(&error))?;
        let (mut client, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| away(&error))?;
        let question = serde_json::json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenReview",
            "spec": {"token": bearer, "audiences": [AUDIENCE]},
        });
        let request = Request::post("/apis/authentication.k8s.io/v1/tokenreviews")
            .header("host", bracketed(&self.host))
            .header("authorization", format!("Bearer {own}"))
            .header("content-type", "application/json")
            .header("accept", "application/json")
            .body(Full::new(Bytes::from(question.to_string())))
            .map_err(|error| away(&error))?;
        let asking = async {
            let response = client.send_request(request).await?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LARGEST).collect().await;
            let body = body.map_err(io::Error::other).map(|it| it.to_bytes());
            Ok::<_, hyper::Error>((status, body))
        };
        tokio::pin!(asking, connection);
        let answered = tokio::select! {
            answered = &mut asking => answered,
            // It may end with the answer already here.
            _ = &mut connection => asking.await,
        };
        let (status, body) = answered.map_err(|error| away(&error))?;
        let body = body.map_err(|error| away(&error))?;
        if !matches!(status, StatusCode::OK | StatusCode::CREATED) {
            return Err(ReviewError::Away(format!(
                "it answers {status}, so bind the collector's service account to the role system:auth-delegator"
            )));
        }
        self.node(&body)
    }

    fn node(&self, body: &[u8]) -> Result<String, ReviewError> {
        let review: Review = serde_json::from_slice(body)
            .map_err(|error| ReviewError::Away(format!("its answer is no TokenReview: {error}")))?;
        let status = review.status;
        let refused = |why: String| Err(ReviewError::Refused(why));
        if !status.authenticated {
            return refused(if status.error.is_empty() {
                "the API server does not know it".into()
            } else {
                status.error
            });
        }
        if !status.audiences.iter().any(|it| it == AUDIENCE) {
            return refused(format!("it is not meant for the audience `{AUDIENCE}`"));
        }
        if status.user.username != self.user {
            return refused(format!(
                "it is of {}, not of {}",
                status.user.username, self.user
            ));
        }
        match status.user.extra.nodes.as_slice() {
            [node] => Ok(node.clone()),
            _ => refused("it does not say on which node its pod is, which takes Kubernetes 1.30 or later; give the agents certificates instead".into()),
        }
    }
}

/// As an IPv6 address is in a URI.
fn bracketed(host: &str) -> String {
    match host.contains(':') {
        true => format!("[{host}]"),
        false => host.into(),
    }
}

/// With its causes, in one line.
fn away(error: &dyn Error) -> ReviewError {
    let all: Vec<_> = iter::successors(Some(error), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    ReviewError::Away(all.join(": "))
}

#[derive(Deserialize)]
struct Review {
    status: Status,
}

#[derive(Deserialize)]
struct Status {
    #[serde(default)]
    authenticated: bool,
    #[serde(default)]
    error: String,
    #[serde(default)]
    audiences: Vec<String>,
    #[serde(default)]
    user: User,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct User {
    username: String,
    extra: Extra,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Extra {
    /// Since Kubernetes 1.30: KEP-4193.
    #[serde(rename = "authentication.kubernetes.io/node-name")]
    nodes: Vec<String>,
}
