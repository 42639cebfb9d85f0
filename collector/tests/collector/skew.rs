//! Agents and subscribers of the version before, and of one to come.

use std::fs;

use api::{
    encoding,
    former::{
        self, Message as _, events_client::EventsClient, ingest_client::IngestClient,
        publish_request::Item, publish_response::Item as Answer,
    },
    v1::{self, actions_client::ActionsClient, nodes_client::NodesClient},
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Streaming, transport::Channel};

use crate::{
    engine::Engine,
    harness::{Collector, EPOCH, all, beginning, event, eventually, within},
};

/// An agent of the version before.
struct Former {
    requests: mpsc::Sender<former::PublishRequest>,
    answers: Streaming<former::PublishResponse>,
}

impl Former {
    async fn connect(channel: Channel) -> Self {
        let (requests, stream) = mpsc::channel(8);
        let hello = Item::Hello(former::Hello {
            node: "n1".into(),
            epoch: EPOCH,
            version: "0.1.0".into(),
        });
        let first = former::PublishRequest { item: Some(hello) };
        requests.send(first).await.unwrap();
        let mut client = IngestClient::new(channel);
        let answers = client.publish(ReceiverStream::new(stream)).await.unwrap();
        let mut agent = Self {
            requests,
            answers: answers.into_inner(),
        };
        let welcome = agent.next().await;
        assert!(matches!(welcome, Some(Answer::Welcome(_))), "{welcome:?}");
        agent
    }

    async fn send(&self, item: Item) {
        let request = former::PublishRequest { item: Some(item) };
        self.requests.send(request).await.unwrap();
    }

    /// None for what it does not know.
    async fn next(&mut self) -> Option<Answer> {
        let answer = within("an answer", self.answers.message()).await.unwrap();
        answer.unwrap().item
    }
}

fn as_before(event: &v1::Event) -> former::Event {
    former::Event::decode(&encoding::encode(event)[..]).unwrap()
}

#[tokio::test]
async fn the_version_before_delivers_reads_and_passes_over_what_is_new() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("detectors.yaml");
    fs::write(&path, "silence: 1s\n").unwrap();
    let collector = Collector::with_detectors(&Engine::Sqlite, &path).await;
    let mut agent = Former::connect(collector.channel().await).await;
    let sent = former::Event {
        summary: "as its agent put it".into(),
        ..as_before(&event("n1", 1))
    };
    let status = former::NodeStatus {
        attachment: "tcx".into(),
        ..Default::default()
    };
    agent.send(Item::Status(status)).await;
    let batch = former::Batch {
        events: vec![sent.clone()],
        ..Default::default()
    };
    agent.send(Item::Batch(batch)).await;
    let (mut acknowledged, mut passed_over) = (0, 0);
    while acknowledged == 0 || passed_over == 0 {
        match agent.next().await {
            Some(Answer::Acknowledgement(it)) => {
                assert_eq!(it.refusals, []);
                acknowledged = it.sequence;
            }
            None => passed_over += 1,
            Some(Answer::Pods(_) | Answer::Welcome(_)) => {}
        }
    }
    assert_eq!(acknowledged, 1);

    let mut reader = EventsClient::new(collector.channel().await);
    let listed = reader.list(former::ListRequest::default()).await.unwrap();
    let [read] = &listed.into_inner().events[..] else {
        panic!("one was sent");
    };
    let read = former::Event {
        cursor: 0,
        ..read.clone()
    };
    assert_eq!(read, sent);
    let today = collector.log().await;
    assert_eq!(today[0].anomaly_id, sent.anomaly_id);
    let nodes = eventually("its status", async || {
        let mut client = NodesClient::new(collector.channel().await);
        let listed = client.list(v1::ListNodesRequest {}).await.unwrap();
        let nodes = listed.into_inner().nodes;
        nodes[0].status.is_some().then_some(nodes)
    })
    .await;
    assert!(nodes[0].connected);
    assert_eq!(nodes[0].status.clone().unwrap().attachment, "tcx");
    collector.stop().await;
}

#[tokio::test]
async fn an_agent_that_knows_no_commands_is_given_none() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let agent = Former::connect(collector.channel().await).await;
    let asked = v1::Command {
        node: "n1".into(),
        ..Default::default()
    };
    let command = v1::SignedCommand {
        command: asked.encode_to_vec(),
        ..Default::default()
    };
    let mut client = ActionsClient::new(collector.channel().await);
    let status = client.command(command).await.unwrap_err();
    assert_eq!(status.code(), Code::FailedPrecondition);
    assert!(status.message().contains("upgrade it"), "{status}");
    drop(agent);
    collector.stop().await;
}

#[tokio::test]
async fn what_only_a_newer_agent_knows_is_kept_and_costs_no_stream() {
    let collector = Collector::start(&Engine::Sqlite).await;
    let mut agent = collector.agent("n1").await;
    let newer = v1::Event {
        severity: 99,
        technique: 99,
        state: 99,
        durability: 99,
        summary: "as its agent put it".into(),
        crossed: Some(v1::Criterion {
            measure: 999,
            ..Default::default()
        }),
        ..event("n1", 1)
    };
    agent.send_batch(vec![newer.clone()]).await;
    agent.send_what_nobody_knows().await;
    agent.send_after(1, [2]).await;
    for sequence in [1, 2] {
        let acknowledgement = agent.acknowledged().await;
        assert_eq!(acknowledgement.sequence, sequence);
        assert_eq!(acknowledgement.refusals, []);
    }
    let high = v1::Filter {
        min_severity: v1::Severity::High.into(),
        ..all()
    };
    let mut subscriber = collector.subscribe(beginning(), high).await;
    let told = v1::Event {
        cursor: 0,
        ..subscriber.event().await
    };
    assert_eq!(told, newer);
    let skipped = "picket_collector_skipped_requests_total";
    assert_eq!(collector.metric(skipped).await, 1);
    collector.stop().await;
}
