//! A collector in miniature: a log in memory, served on a Unix socket.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use api::{
    transport::{Listen, Reception},
    v1::{
        Event, EventId, Filter, GetRequest, Heartbeat, ListNodesRequest, ListNodesResponse,
        ListRequest, ListResponse, Node, PolicyStatus, SubscribeRequest, SubscribeResponse,
        TestNodesRequest, TestNodesResponse,
        events_server::{Events, EventsServer},
        nodes_server::{Nodes, NodesServer},
        subscribe_request::From,
        subscribe_response::Item,
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, watch},
    task::JoinHandle,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, async_trait};

/// What a server knows; outlives the server, as a database does.
#[derive(Clone)]
pub(crate) struct Log {
    items: Arc<watch::Sender<Vec<Item>>>,
    listed: Arc<Mutex<ListNodesResponse>>,
    requests: Arc<Mutex<Vec<Filter>>>,
    tests: Arc<Mutex<Vec<String>>>,
    kind: Kind,
    fault: Option<Status>,
}

#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Kind {
    Collector,
    /// Serves no past events, and gives no cursors.
    Agent,
}

impl Log {
    pub(crate) fn of(kind: Kind) -> Self {
        Self {
            items: Arc::new(watch::Sender::default()),
            listed: Arc::default(),
            requests: Arc::default(),
            tests: Arc::default(),
            kind,
            fault: None,
        }
    }

    /// Its streams fail after their first heartbeat.
    pub(crate) fn damaged(fault: Status) -> Self {
        Self {
            fault: Some(fault),
            ..Self::of(Kind::Collector)
        }
    }

    pub(crate) fn append(&self, item: Item) {
        self.items.send_modify(|items| {
            let cursor = match self.kind {
                Kind::Collector => items.len() as u64 + 1,
                Kind::Agent => 0,
            };
            items.push(match item {
                Item::Event(event) => Item::Event(Event { cursor, ..event }),
                Item::Gap(gap) => Item::Gap(api::v1::Gap { cursor, ..gap }),
                Item::Heartbeat(_) => Item::Heartbeat(Heartbeat { cursor, log: 0 }),
            });
        });
    }

    pub(crate) fn truncate(&self, length: usize) {
        self.items.send_modify(|items| items.truncate(length));
    }

    pub(crate) fn set_nodes(&self, nodes: Vec<Node>) {
        self.listed().nodes = nodes;
    }

    /// What it says that it tells every agent.
    pub(crate) fn set_policy(&self, policy: PolicyStatus) {
        self.listed().policy = Some(policy);
    }

    fn listed(&self) -> MutexGuard<'_, ListNodesResponse> {
        self.listed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The filters asked for, in order.
    pub(crate) fn filters(&self) -> Vec<Filter> {
        self.requests
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The ids of the tests that were asked for, in order.
    pub(crate) fn tests(&self) -> Vec<String> {
        let tests = self.tests.lock().unwrap_or_else(PoisonError::into_inner);
        tests.clone()
    }

    fn remember(&self, filter: Option<Filter>) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        requests.push(filter.unwrap_or_default());
    }
}

/// Serves a log until it is stopped.
pub(crate) struct Server {
    pub(crate) address: String,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
    /// Holds the connections, which outlive the task.
    runtime: Option<Runtime>,
}

impl Server {
    pub(crate) async fn start(path: &Path, log: &Log) -> Self {
        Self::listening(Listen::Unix(path.to_owned()), Reception::default(), log).await
    }

    pub(crate) async fn listening(listen: Listen, reception: Reception, log: &Log) -> Self {
        let server = tonic::transport::Server::builder()
            .add_service(EventsServer::new(log.clone()))
            .add_service(NodesServer::new(log.clone()));
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let incoming = runtime
            .spawn(async move { listen.bind_with(reception).await.unwrap() })
            .await
            .unwrap();
        Self {
            address: incoming.local().to_string(),
            task: runtime.spawn(server.serve_with_incoming(incoming)),
            runtime: Some(runtime),
        }
    }

    /// Goes away at once with all its connections, as a killed process does.
    pub(crate) async fn stop(mut self) {
        self.task.abort();
        assert!(
            (&mut self.task)
                .await
                .is_err_and(|error| error.is_cancelled())
        );
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl Events for Log {
    type SubscribeStream = ReceiverStream<Result<SubscribeResponse, Status>>;

    async fn subscribe(
        &self,
        request: Request<SubscribeRequest>,
    ) -> Result<Response<Self::SubscribeStream>, Status> {
        let request = request.into_inner();
        self.remember(request.filter);
        let mut items = self.items.subscribe();
        let length = items.borrow().len();
        let mut next = match request.from {
            Some(From::AfterCursor(cursor)) => usize::try_from(cursor).unwrap_or(usize::MAX),
            Some(From::Now(_)) | None => length,
        };
        if next > length {
            return Err(Status::out_of_range(format!(
                "cursor {next} is beyond {length}"
            )));
        }
        let cursor = if self.kind == Kind::Collector {
            next as u64
        } else {
            0
        };
        let (sender, receiver) = mpsc::channel(4);
        let fault = self.fault.clone();
        tokio::spawn(async move {
            let mut item = Some(Item::Heartbeat(Heartbeat { cursor, log: 0 }));
            loop {
                while let Some(current) = item {
                    if sender
                        .send(Ok(SubscribeResponse {
                            item: Some(current),
                        }))
                        .await
                        .is_err()
                    {
                        return;
                    }
                    if let Some(fault) = fault {
                        // Whoever left needs no answer.
                        sender.send(Err(fault)).await.ok();
                        return;
                    }
                    item = items.borrow_and_update().get(next).cloned();
                    next += usize::from(item.is_some());
                }
                tokio::select! {
                    changed = items.changed() => if changed.is_err() { return },
                    () = sender.closed() => return,
                }
                item = items.borrow_and_update().get(next).cloned();
                next += usize::from(item.is_some());
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }

    async fn list(&self, request: Request<ListRequest>) -> Result<Response<ListResponse>, Status> {
        if self.kind == Kind::Agent {
            return Err(Status::unimplemented("an agent keeps no past events"));
        }
        let request = request.into_inner();
        self.remember(request.filter);
        let items = self.items.borrow().clone();
        let length = items.len() as u64;
        // A small page, so that a handful of events needs several.
        let size = usize::try_from(request.page_size).unwrap().min(3);
        let from = usize::try_from(request.after_cursor).unwrap();
        let page: Vec<_> = items.into_iter().skip(from).take(size).collect();
        let next_cursor = request.after_cursor + page.len() as u64;
        let event = |item| match item {
            Item::Event(event) => Some(event),
            _ => None,
        };
        Ok(Response::new(ListResponse {
            events: page.into_iter().filter_map(event).collect(),
            next_cursor,
            more: next_cursor < length,
        }))
    }

    async fn get(&self, _: Request<GetRequest>) -> Result<Response<Event>, Status> {
        Err(Status::unimplemented("picket never asks"))
    }
}

#[async_trait]
impl Nodes for Log {
    async fn list(
        &self,
        _: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        Ok(Response::new(self.listed().clone()))
    }

    /// Every agent is asked; what becomes of it, the test decides.
    async fn test(
        &self,
        request: Request<TestNodesRequest>,
    ) -> Result<Response<TestNodesResponse>, Status> {
        let id = request.into_inner().id;
        let nodes = self.listed().nodes.clone();
        let nodes: Vec<_> = nodes.into_iter().map(|it| it.name).collect();
        let tests = &mut *self.tests.lock().unwrap_or_else(PoisonError::into_inner);
        tests.push(id);
        let nodes = if self.kind == Kind::Collector {
            nodes
        } else {
            Vec::new()
        };
        Ok(Response::new(TestNodesResponse { nodes }))
    }
}

/// The event of the given sequence, raised that many milliseconds into 2027-01-15T08:00:00Z.
pub(crate) fn event(sequence: u64) -> Event {
    let raised_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
    Event {
        id: Some(EventId {
            node: "n1".to_owned(),
            epoch: 1_799_999_999_123_456_789,
            sequence,
        }),
        raised_at: Some((raised_at + Duration::from_millis(sequence)).into()),
        summary: format!("event {sequence}"),
        ..Event::default()
    }
}
