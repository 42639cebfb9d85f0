//! An API server that holds some objects and lets them be read, as far as helm does before it renders.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::object::Object;

/// Serves until the process ends, on loopback.
pub(super) struct ApiServer {
    address: SocketAddr,
}

impl ApiServer {
    /// Knows the kinds of `objects`, and holds those of them that are Secrets.
    pub(super) fn of(objects: &[Object]) -> Result<Self> {
        let answers = Arc::new(answers(objects));
        let listener = TcpListener::bind(("127.0.0.1", 0)).context("cannot listen on loopback")?;
        let address = listener.local_addr()?;
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answers = Arc::clone(&answers);
                thread::spawn(move || serve(stream, &answers));
            }
        });
        Ok(Self { address })
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// One request a connection. Who goes away before he is answered misses it.
fn serve(mut stream: TcpStream, answers: &BTreeMap<String, Value>) -> Option<()> {
    let mut lines = BufReader::new(stream.try_clone().ok()?).lines();
    let request = lines.next()?.ok()?;
    for line in lines {
        if line.ok()?.is_empty() {
            break;
        }
    }
    let path = request.split([' ', '?']).nth(1)?;
    let (status, body) = match answers.get(path) {
        Some(answer) => ("200 OK", answer.clone()),
        None => (
            "404 Not Found",
            json!({"kind": "Status", "apiVersion": "v1", "status": "Failure",
                   "reason": "NotFound", "code": 404}),
        ),
    };
    let body = body.to_string();
    let length = body.len();
    let head = "content-type: application/json\r\nconnection: close";
    let answer = format!("HTTP/1.1 {status}\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).ok()
}

/// By path.
fn answers(objects: &[Object]) -> BTreeMap<String, Value> {
    let mut answers = BTreeMap::new();
    let mut versions: BTreeMap<&str, BTreeMap<&str, bool>> = BTreeMap::new();
    for object in objects {
        let kinds = versions.entry(object.text("/apiVersion")).or_default();
        kinds.insert(object.kind(), !object.namespace().is_empty());
        if object.kind() == "Secret" {
            let (namespace, name) = (object.namespace(), object.name());
            let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
            answers.insert(path, object.0.clone());
        }
    }
    let mut groups = Vec::new();
    for (version, kinds) in versions {
        let resources: Vec<_> = kinds
            .into_iter()
            .map(|(kind, namespaced)| {
                json!({"name": plural(kind), "singularName": kind.to_lowercase(), "kind": kind,
                       "namespaced": namespaced, "verbs": ["get", "list", "create", "patch"]})
            })
            .collect();
        let list =
            json!({"kind": "APIResourceList", "groupVersion": version, "resources": resources});
        let path = match version.split_once('/') {
            None => format!("/api/{version}"),
            Some((group, short)) => {
                let version = json!({"groupVersion": version, "version": short});
                groups.push(json!({"name": group, "versions": [version.clone()],
                                   "preferredVersion": version}));
                format!("/apis/{group}/{short}")
            }
        };
        answers.insert(path, list);
    }
    let version = json!({"major": "1", "minor": "37", "gitVersion": "v1.37.0"});
    answers.insert("/version".into(), version);
    answers.insert(
        "/api".into(),
        json!({"kind": "APIVersions", "versions": ["v1"]}),
    );
    answers.insert(
        "/apis".into(),
        json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}),
    );
    answers
}

/// As Kubernetes forms it, for the kinds of the chart.
fn plural(kind: &str) -> String {
    let kind = kind.to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}
