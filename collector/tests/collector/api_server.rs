//! An API server of Kubernetes that does what a real one cannot be made to do at will.

use std::{
    collections::BTreeMap,
    convert::Infallible,
    fs,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, Response, StatusCode, Uri, header::ACCEPT},
};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch};
use tokio_util::sync::{CancellationToken, DropGuard};

/// One that has pods, nodes and what else there is, each by `NAMESPACE/NAME`.
pub(crate) struct ApiServer {
    address: SocketAddr,
    known: Arc<Known>,
    serving: Option<DropGuard>,
}

struct Known {
    state: Mutex<State>,
    version: watch::Sender<u64>,
    /// Watches of a generation before this one end.
    generation: watch::Sender<u64>,
}

struct State {
    objects: BTreeMap<(&'static str, String), Value>,
    /// Every change: of which version, of which resource, and what is told of it.
    log: Vec<(u64, &'static str, Value)>,
    /// Versions before it are forgotten.
    oldest: u64,
    by_status: bool,
    lists: u64,
    /// Which version of EndpointSlices there is.
    slices: Option<&'static str>,
}

impl ApiServer {
    /// An empty one at an address that it keeps.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut server = Self {
            address: listener.local_addr().unwrap(),
            known: Arc::new(Known {
                state: Mutex::new(State {
                    objects: BTreeMap::new(),
                    log: Vec::new(),
                    oldest: 0,
                    by_status: false,
                    lists: 0,
                    slices: Some("v1"),
                }),
                version: watch::Sender::new(1),
                generation: watch::Sender::new(0),
            }),
            serving: None,
        };
        server.serve(listener);
        server
    }

    fn serve(&mut self, listener: TcpListener) {
        let known = Arc::clone(&self.known);
        let app = Router::new().fallback(move |uri: Uri, headers: HeaderMap| {
            let known = Arc::clone(&known);
            async move { answer(&known, &uri, &headers) }
        });
        let stop = CancellationToken::new();
        self.serving = Some(stop.clone().drop_guard());
        tokio::spawn(async move {
            let serving = axum::serve(listener, app);
            tokio::select! {
                served = async { serving.await } => served.unwrap(),
                () = stop.cancelled() => {}
            }
        });
    }

    /// Refuses connections, and ends those that there are.
    pub(crate) fn go_away(&mut self) {
        self.serving = None;
        self.cut();
    }

    pub(crate) async fn come_back(&mut self) {
        let listener = TcpListener::bind(self.address).await.unwrap();
        self.serve(listener);
    }

    /// Ends every watch.
    pub(crate) fn cut(&self) {
        self.known.generation.send_modify(|it| *it += 1);
    }

    /// Forgets every version before this one, so that watches have to begin anew: they are told so by an event,
    /// or by a status as some servers do.
    pub(crate) fn compact(&self, by_status: bool) {
        let version = *self.known.version.borrow();
        let mut state = self.known.state.lock().unwrap();
        state.oldest = version + 1;
        state.by_status = by_status;
        drop(state);
        self.known.version.send_modify(|version| *version += 1);
        self.cut();
    }

    /// Has EndpointSlices in this version from now on, as after an upgrade, or none at all.
    pub(crate) fn serve_slices(&self, version: Option<&'static str>) {
        self.known.state.lock().unwrap().slices = version;
        self.cut();
    }

    /// How many lists were asked for.
    pub(crate) fn lists(&self) -> u64 {
        self.known.state.lock().unwrap().lists
    }

    pub(crate) fn put(&self, resource: &'static str, name: &str, object: Value) {
        let key = (resource, name.to_owned());
        let mut state = self.known.state.lock().unwrap();
        state.objects.insert(key, object);
        drop(state);
        self.tell(resource, name, "MODIFIED");
    }

    pub(crate) fn remove(&self, resource: &'static str, name: &str) {
        self.tell(resource, name, "DELETED");
        self.forget(resource, name);
    }

    /// Removes it without telling anybody.
    pub(crate) fn forget(&self, resource: &'static str, name: &str) {
        let mut state = self.known.state.lock().unwrap();
        state.objects.remove(&(resource, name.to_owned()));
    }

    fn tell(&self, resource: &'static str, name: &str, kind: &str) {
        let mut state = self.known.state.lock().unwrap();
        let version = *self.known.version.borrow() + 1;
        let key = (resource, name.to_owned());
        let object = state.objects.get_mut(&key).unwrap();
        object["metadata"]["resourceVersion"] = json!(version.to_string());
        let told = json!({"type": kind, "object": object});
        state.log.push((version, resource, told));
        // Before anybody else counts on.
        self.known.version.send_replace(version);
        drop(state);
    }

    /// A kubeconfig for it.
    pub(crate) fn kubeconfig(&self, path: &Path) {
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "a",
            "clusters": [{"name": "a", "cluster": {"server": format!("http://{}", self.address)}}],
            "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            "users": [{"name": "a", "user": {}}],
        });
        fs::write(path, config.to_string()).unwrap();
    }
}

fn answer(known: &Arc<Known>, uri: &Uri, headers: &HeaderMap) -> Response<Body> {
    let path = uri.path();
    let slices = path.strip_prefix("/apis/discovery.k8s.io/");
    let slices = slices.and_then(|it| it.strip_suffix("/endpointslices"));
    let resource = match path {
        "/api/v1/pods" => "pods",
        "/api/v1/nodes" => "nodes",
        "/api/v1/services" => "services",
        "/apis/apps/v1/replicasets" => "replicasets",
        "/apis/batch/v1/jobs" => "jobs",
        _ if slices.is_some() && slices == known.state.lock().unwrap().slices => "endpointslices",
        _ => return refusal(StatusCode::NOT_FOUND, "NotFound"),
    };
    // Of what makes pods nothing else is needed, and it is much.
    let accepts = headers.get(ACCEPT).and_then(|it| it.to_str().ok());
    let wants_metadata = accepts.is_some_and(|it| it.contains("as=PartialObjectMetadata"));
    if wants_metadata != matches!(resource, "replicasets" | "jobs") {
        return refusal(StatusCode::NOT_ACCEPTABLE, "NotAcceptable");
    }
    let query = uri.query().unwrap_or_default();
    let asked = |key: &str| {
        query
            .split('&')
            .find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    };
    let number = |key: &str| asked(key).and_then(|it| it.parse::<u64>().ok());
    if asked("watch").is_some() {
        let since = number("resourceVersion").unwrap_or_default();
        let state = known.state.lock().unwrap();
        if since < state.oldest {
            let status = status(StatusCode::GONE, "Expired");
            let told = json!({"type": "ERROR", "object": status}).to_string() + "\n";
            return match state.by_status {
                true => refusal(StatusCode::GONE, "Expired"),
                false => respond(StatusCode::OK, Body::from(told)),
            };
        }
        drop(state);
        return watch(Arc::clone(known), resource, since);
    }
    let from = number("continue").unwrap_or_default();
    let limit = number("limit").unwrap_or(u64::MAX);
    list(known, resource, from, limit)
}

fn refusal(code: StatusCode, reason: &str) -> Response<Body> {
    respond(code, Body::from(status(code, reason).to_string()))
}

fn status(code: StatusCode, reason: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "metadata": {},
        "message": reason, "reason": reason, "code": code.as_u16()})
}

fn respond(code: StatusCode, body: Body) -> Response<Body> {
    let response = Response::builder().status(code);
    let response = response.header("content-type", "application/json");
    response.body(body).unwrap()
}

fn list(known: &Known, resource: &'static str, from: u64, limit: u64) -> Response<Body> {
    let mut state = known.state.lock().unwrap();
    state.lists += 1;
    let all = state.objects.iter().filter(|((of, _), _)| *of == resource);
    let from = usize::try_from(from).unwrap();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut rest = all.skip(from).map(|(_, object)| object.clone());
    let items: Vec<_> = rest.by_ref().take(limit).collect();
    let mut metadata = json!({"resourceVersion": known.version.borrow().to_string()});
    if rest.next().is_some() {
        metadata["continue"] = json!((from + items.len()).to_string());
    }
    let list = json!({"apiVersion": "v1", "kind": "List", "metadata": metadata, "items": items});
    respond(StatusCode::OK, Body::from(list.to_string()))
}

fn watch(known: Arc<Known>, resource: &'static str, since: u64) -> Response<Body> {
    let versions = known.version.subscribe();
    let mut generations = known.generation.subscribe();
    generations.mark_unchanged();
    let begin = (known, versions, generations, since);
    let told = stream::unfold(
        begin,
        move |(known, mut versions, mut generations, since)| async move {
            loop {
                versions.mark_unchanged();
                let (mut lines, mut last) = (String::new(), since);
                for (version, _, told) in known
                    .state
                    .lock()
                    .unwrap()
                    .log
                    .iter()
                    .filter(|it| it.1 == resource)
                {
                    if *version > since {
                        lines += &format!("{told}\n");
                        last = *version;
                    }
                }
                if !lines.is_empty() {
                    let lines = Ok::<_, Infallible>(Bytes::from(lines));
                    return Some((lines, (known, versions, generations, last)));
                }
                tokio::select! {
                    changed = versions.changed() => changed.ok()?,
                    _ = generations.changed() => return None,
                }
            }
        },
    );
    respond(StatusCode::OK, Body::from_stream(told))
}
