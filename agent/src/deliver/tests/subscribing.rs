//! The agent's own gRPC, through a real client.

use api::{
    transport::{Listen, Remote},
    v1::{
        self, events_client::EventsClient, nodes_client::NodesClient,
        subscribe_request::From as Start, subscribe_response::Item,
    },
};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use tonic::{Code, Streaming, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{super::*, event, sequence_of, soon};
use crate::access::Access;

struct Bench {
    _directory: TempDir,
    outbox: Outbox,
    channel: Channel,
    server: JoinHandle<Result<(), ServerError>>,
    _status: watch::Sender<v1::NodeStatus>,
}

impl Bench {
    async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let listen = Listen::Unix(directory.path().join("socket"));
        let remote: Remote = listen.to_string().parse().unwrap();
        let outbox = Outbox::standalone(Metrics::default());
        let (status, reported) = watch::channel(v1::NodeStatus {
            attachment: "clsact".into(),
            ..v1::NodeStatus::default()
        });
        let server = Server::bind(&[listen], "n1", &outbox, reported, Access::default())
            .await
            .unwrap();
        let server = tokio::spawn(server.run());
        Self {
            _directory: directory,
            outbox,
            channel: remote.connect().await.unwrap(),
            server,
            _status: status,
        }
    }

    async fn subscribe(
        &self,
        from: Option<Start>,
        filter: v1::Filter,
    ) -> Result<Streaming<v1::SubscribeResponse>, tonic::Status> {
        let request = v1::SubscribeRequest {
            filter: Some(filter),
            from,
            log: 0,
        };
        let mut client = EventsClient::new(self.channel.clone());
        let mut stream = soon(client.subscribe(request)).await?.into_inner();
        assert!(matches!(next(&mut stream).await, Item::Heartbeat(_)));
        Ok(stream)
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn next(stream: &mut Streaming<v1::SubscribeResponse>) -> Item {
    let response = soon(stream.message()).await.unwrap().unwrap();
    response.item.unwrap()
}

async fn sequence(stream: &mut Streaming<v1::SubscribeResponse>) -> u64 {
    match next(stream).await {
        Item::Event(event) => sequence_of(&event),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_subscriber_gets_what_is_raised_from_then_on() {
    let bench = Bench::new().await;
    bench.outbox.raise(event(1));
    let mut stream = bench.subscribe(None, v1::Filter::default()).await.unwrap();
    for number in 2..=4 {
        bench.outbox.raise(event(number));
        assert_eq!(sequence(&mut stream).await, number);
    }
    soon(bench.outbox.drained()).await;
}

#[tokio::test]
async fn a_subscriber_from_the_beginning_gets_what_is_remembered() {
    let bench = Bench::new().await;
    bench.outbox.raise(event(1));
    bench.outbox.raise(event(2));
    let from = Some(Start::AfterCursor(0));
    let mut stream = bench.subscribe(from, v1::Filter::default()).await.unwrap();
    assert_eq!(sequence(&mut stream).await, 1);
    assert_eq!(sequence(&mut stream).await, 2);
}

#[tokio::test]
async fn a_filter_leaves_out_the_rest() {
    let bench = Bench::new().await;
    let filter = v1::Filter {
        detectors: vec!["port_scan".into()],
        ..v1::Filter::default()
    };
    let mut stream = bench.subscribe(None, filter).await.unwrap();
    bench.outbox.raise(v1::Event {
        detector: "host_sweep".into(),
        ..event(1)
    });
    bench.outbox.raise(event(2));
    assert_eq!(sequence(&mut stream).await, 2);
}

#[tokio::test]
async fn a_subscriber_that_lags_is_told_how_many_events_it_lost() {
    let bench = Bench::new().await;
    let mut stream = bench.subscribe(None, v1::Filter::default()).await.unwrap();
    // The server shares this thread, so it sees none of these before the last.
    for number in 1..=1500 {
        bench.outbox.raise(event(number));
    }
    let Item::Gap(gap) = next(&mut stream).await else {
        panic!("no gap");
    };
    assert_eq!((gap.events, gap.node.as_str(), gap.cursor), (476, "n1", 0));
    assert!(!gap.reason.is_empty());
    for number in 477..=1500 {
        assert_eq!(sequence(&mut stream).await, number);
    }
    assert_eq!(bench.outbox.metrics().lost.get(), 476);
}

#[tokio::test]
async fn what_an_agent_does_not_keep_is_said() {
    let bench = Bench::new().await;
    let beyond = bench
        .subscribe(Some(Start::AfterCursor(5)), v1::Filter::default())
        .await
        .map(|_| ())
        .unwrap_err();
    let mut client = EventsClient::new(bench.channel.clone());
    let listed = client.list(v1::ListRequest::default()).await.unwrap_err();
    let got = client.get(v1::GetRequest::default()).await.unwrap_err();
    for (status, code) in [
        (beyond, Code::OutOfRange),
        (listed, Code::Unimplemented),
        (got, Code::Unimplemented),
    ] {
        assert_eq!(status.code(), code);
        assert!(status.message().contains("ask the collector"), "{status}");
    }
}

#[tokio::test]
async fn seats_are_bounded_and_given_back() {
    let bench = Bench::new().await;
    let filter = v1::Filter::default;
    let mut streams = Vec::new();
    for _ in 0..64 {
        streams.push(bench.subscribe(None, filter()).await.unwrap());
    }
    let refused = bench
        .subscribe(None, filter())
        .await
        .map(|_| ())
        .unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    assert_eq!(bench.outbox.metrics().subscribers_refused.get(), 1);
    streams.pop();
    soon(async {
        while bench.outbox.metrics().subscribers.get() == 64 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    bench.subscribe(None, filter()).await.unwrap();
}

#[tokio::test]
async fn the_node_tells_of_itself_and_is_healthy() {
    let bench = Bench::new().await;
    let mut nodes = NodesClient::new(bench.channel.clone());
    let listed = nodes.list(v1::ListNodesRequest {}).await.unwrap();
    let listed = listed.into_inner().nodes;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].name, "n1");
    assert!(listed[0].connected && listed[0].last_seen.is_some());
    let status = listed[0].status.as_ref().unwrap();
    assert_eq!(status.attachment, "clsact");

    let mut health = HealthClient::new(bench.channel.clone());
    for service in ["", "picket.v1.Events", "picket.v1.Nodes"] {
        let request = HealthCheckRequest {
            service: service.into(),
        };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status().as_str_name(), "SERVING", "{service}");
    }
}
