//! Agents whose Kubernetes token says who they are, and an API server in its moods.

use std::{fs, sync::Arc, time::Duration};

use api::{
    certificates::{Authority, LEAF_DAYS, Purpose},
    transport::{Credentials, Incoming, Reception, Remote, Tls, TlsFiles},
};
use collector::{
    config::{Config, Database, LogFormat, Retain, Security, ServiceAccount, Settings},
    server::Server,
};
use futures_util::StreamExt as _;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{Notify, watch},
};
use tonic::{Code, Status, metadata::MetadataValue};

use crate::{
    agent::Agent,
    harness::{now, within},
};

/// What the API server answers; it takes this long for it.
#[derive(Clone)]
struct Mood {
    status: &'static str,
    body: String,
    delay: Duration,
}

fn review(fields: &str) -> Mood {
    Mood {
        status: "201 Created",
        body: format!(r#"{{"kind": "TokenReview", "status": {fields}}}"#),
        delay: Duration::ZERO,
    }
}

const GOOD: &str = r#"{"authenticated": true, "audiences": ["picket"], "user": {
    "username": "system:serviceaccount:picket:picket-agent",
    "groups": ["system:serviceaccounts"],
    "extra": {"authentication.kubernetes.io/node-name": ["n1"]}}}"#;

struct Cluster {
    _folder: TempDir,
    remote: Remote,
    mood: watch::Sender<Mood>,
    away: watch::Sender<bool>,
    asked: Arc<Notify>,
}

impl Cluster {
    /// A collector that believes the agents' service account, and an API server that knows it.
    async fn start(mood: Mood) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path(), 10, now()).unwrap();
        let names = ["127.0.0.1".to_owned()];
        let issued = authority
            .issue(Purpose::Server(&names), LEAF_DAYS, now())
            .unwrap();
        let files = TlsFiles {
            certificate: issued.certificate,
            key: issued.key,
            client_ca: None,
            crl: None,
        };
        let tls = Tls::load(files).unwrap();
        let reception = Reception {
            tls: Some(tls.clone()),
            ..Reception::default()
        };
        let incoming = "127.0.0.1:0".parse::<api::transport::Listen>().unwrap();
        let incoming = incoming.bind_with(reception).await.unwrap();
        let port = incoming.local().to_string();
        let port = port.rsplit(':').next().unwrap().parse().unwrap();
        let (mood, moods) = watch::channel(mood);
        let asked = Arc::new(Notify::new());
        let (away, gone) = watch::channel(false);
        tokio::spawn(answer(incoming, moods, gone, Arc::clone(&asked)));
        fs::write(folder.path().join("token"), "the-collectors-own").unwrap();
        let agents =
            ServiceAccount::at("picket:picket-agent", "127.0.0.1", port, folder.path()).unwrap();
        let config = Config {
            listen: vec!["127.0.0.1:0".parse().unwrap()],
            metrics: ([127, 0, 0, 1], 0).into(),
            page: None,
            database: Database::File(folder.path().join("picket.db")),
            retain: Retain::default(),
            pods: api::pods::Pods::default(),
            detectors: None,
            detectors_config_map: None,
            outputs: None,
            cluster: None,
            correlate: Settings::default(),
            security: Security {
                tls: Some(tls),
                agents: Some(agents),
                ..Security::default()
            },
            log: "warn".parse().unwrap(),
            log_format: LogFormat::Text,
        };
        let server = Server::bind(config).await.unwrap();
        let address = server.listening().next().unwrap().to_string();
        tokio::spawn(server.run(std::future::pending()));
        let remote: Remote = format!("https://{address}").parse().unwrap();
        let credentials = Credentials {
            ca: Some(authority.certificate()),
            ..Credentials::default()
        };
        Self {
            remote: remote.with(credentials).unwrap(),
            _folder: folder,
            mood,
            away,
            asked,
        }
    }

    async fn agent(&self, token: &str, node: &str) -> Result<Agent, Status> {
        let channel = self.remote.connect().await.unwrap();
        let bearer: MetadataValue<_> = format!("Bearer {token}").parse().unwrap();
        Agent::open_with(channel, node, bearer).await
    }
}

/// HTTP/1.1, one request a connection.
async fn answer(
    mut incoming: Incoming,
    moods: watch::Receiver<Mood>,
    gone: watch::Receiver<bool>,
    asked: Arc<Notify>,
) {
    while let Some(Ok(mut connection)) = incoming.next().await {
        if *gone.borrow() {
            continue;
        }
        let mood = moods.borrow().clone();
        let asked = Arc::clone(&asked);
        tokio::spawn(async move {
            let mut request = Vec::new();
            while !request.ends_with(b"}}") {
                if connection.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    return;
                }
            }
            let request = String::from_utf8(request).unwrap();
            assert!(request.starts_with("POST /apis/authentication.k8s.io/v1/tokenreviews "));
            assert!(
                request.contains("Bearer the-collectors-own")
                    && request.contains(r#""audiences":["picket"]"#)
            );
            asked.notify_one();
            tokio::time::sleep(mood.delay).await;
            let Mood { status, body, .. } = mood;
            let length = body.len();
            let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n\r\n{body}");
            drop(connection.write_all(answer.as_bytes()).await);
            drop(connection.flush().await);
        });
    }
}

#[tokio::test]
async fn a_token_names_the_node_and_is_asked_for_once() {
    let cluster = Cluster::start(review(GOOD)).await;
    cluster
        .agent("good", "n1")
        .await
        .unwrap()
        .publish([1])
        .await;
    within("the question", cluster.asked.notified()).await;
    let foreign = cluster.agent("good", "n2").await.err().unwrap();
    assert_eq!(foreign.code(), Code::PermissionDenied, "{foreign}");
    assert!(foreign.message().contains("`n1`"), "{foreign}");
    // Remembered, so an API server that is away for a moment stops nobody.
    cluster.mood.send_replace(Mood {
        status: "503 Service Unavailable",
        ..review("{}")
    });
    cluster
        .agent("good", "n1")
        .await
        .unwrap()
        .publish([2])
        .await;
}

#[tokio::test]
async fn an_api_server_that_is_away_lets_nobody_pass_until_it_is_back() {
    let cluster = Cluster::start(review(GOOD)).await;
    cluster.away.send_replace(true);
    let status = cluster.agent("good", "n1").await.err().unwrap();
    assert_eq!(status.code(), Code::Unavailable, "{status}");
    cluster.away.send_replace(false);
    cluster.agent("good", "n1").await.unwrap();
}

#[tokio::test]
async fn what_the_api_server_does_not_vouch_for_is_refused() {
    let cases = [
        (
            r#"{"authenticated": false, "error": "it is expired"}"#.to_owned(),
            "it is expired",
        ),
        ("{}".into(), "does not know"),
        (
            GOOD.replace(r#"["picket"]"#, r#"["https://kubernetes.default.svc"]"#),
            "audience",
        ),
        (GOOD.replace("picket-agent", "default"), "picket:default"),
        (GOOD.replace(r#"["n1"]"#, "[]"), "1.30"),
    ];
    for (fields, expected) in cases {
        let cluster = Cluster::start(review(&fields)).await;
        let status = cluster.agent("bad", "n1").await.err().expect(expected);
        assert_eq!(status.code(), Code::Unauthenticated, "{status}");
        assert!(status.message().contains(expected), "{status}");
    }
}

#[tokio::test]
async fn an_api_server_that_cannot_tell_lets_nobody_pass() {
    let cases = [
        (
            Mood {
                status: "401 Unauthorized",
                ..review(GOOD)
            },
            "system:auth-delegator",
        ),
        (
            Mood {
                status: "500 Internal Server Error",
                ..review(GOOD)
            },
            "500",
        ),
        (
            Mood {
                body: "no JSON".into(),
                ..review(GOOD)
            },
            "no TokenReview",
        ),
        (
            Mood {
                body: "x".repeat(2 << 20),
                ..review(GOOD)
            },
            "cannot ask",
        ),
        (
            Mood {
                delay: Duration::from_secs(3600),
                ..review(GOOD)
            },
            "within 5s",
        ),
    ];
    for (mood, expected) in cases {
        let cluster = Cluster::start(mood).await;
        let status = cluster.agent("good", "n1").await.err().expect(expected);
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        assert!(status.message().contains(expected), "{status}");
    }
}
