//! Tells a collector of a cluster as agents do, and waits until it shows all of it.

use std::time::{Duration, SystemTime};

use anyhow::{Context as _, Result, bail, ensure};
use api::{
    transport::Remote,
    v1::{
        self, anomalies_client::AnomaliesClient, graph_client::GraphClient,
        ingest_client::IngestClient, publish_request, publish_response,
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
    time::{sleep, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Streaming, transport::Channel};

use super::cluster::{Cluster, EPOCH, name};

const LIMIT: Duration = Duration::from_secs(120);
const REST: Duration = Duration::from_millis(100);
const BATCH: usize = 250;

/// What the collector shows while this is there: its nodes stay connected.
pub(super) struct Told {
    pub(super) vertices: usize,
    pub(super) links: usize,
    pub(super) anomalies: u32,
    _agents: Vec<Agent>,
    _runtime: Runtime,
}

struct Agent {
    requests: mpsc::Sender<v1::PublishRequest>,
    answers: Streaming<v1::PublishResponse>,
}

#[expect(clippy::disallowed_methods, reason = "it happens up to now")]
pub(super) fn publish(cluster: &Cluster, address: &str) -> Result<Told> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let remote: Remote = address.parse()?;
    let now = SystemTime::now();
    let told = runtime.block_on(async {
        let mut agents = Vec::new();
        for node in cluster.nodes() {
            let mut agent = Agent::connect(remote.connect().await?, node).await?;
            agent.publish(cluster.events(node, now).collect()).await?;
            let edges = cluster.edges(node, now);
            let pods = edges.iter().map(|it| v1::PodCoverage {
                namespace: it.namespace.clone(),
                pod: it.pod.clone(),
                uid: it.uid.clone(),
                state: v1::CoverageState::Covered.into(),
                ..v1::PodCoverage::default()
            });
            let status = v1::NodeStatus {
                pods: pods.collect(),
                edges,
                at: Some(now.into()),
                ..v1::NodeStatus::default()
            };
            agent.send(publish_request::Item::Status(status)).await?;
            agents.push(agent);
        }
        let shown = timeout(LIMIT, shown(remote.connect().await?, cluster));
        let (vertices, links, anomalies) = shown
            .await
            .context("the collector does not show all of it")??;
        anyhow::Ok((agents, vertices, links, anomalies))
    });
    let (agents, vertices, links, anomalies) = told?;
    Ok(Told {
        vertices,
        links,
        anomalies,
        _agents: agents,
        _runtime: runtime,
    })
}

async fn shown(channel: Channel, cluster: &Cluster) -> Result<(usize, usize, u32)> {
    let mut anomalies = AnomaliesClient::new(channel.clone());
    let mut graph = GraphClient::new(channel);
    loop {
        let request = v1::ListAnomaliesRequest {
            page_size: 1,
            ..v1::ListAnomaliesRequest::default()
        };
        let matching = anomalies.list(request).await?.into_inner().matching;
        let request = v1::GetGraphRequest {
            detail: v1::Detail::Workloads.into(),
            namespaces: Vec::new(),
        };
        let made = graph.get(request).await?.into_inner();
        let all = u64::from(matching) == cluster.anomalies();
        if all && made.links.len() >= made.vertices.len() {
            return Ok((made.vertices.len(), made.links.len(), matching));
        }
        sleep(REST).await;
    }
}

impl Agent {
    async fn connect(channel: Channel, node: u32) -> Result<Self> {
        let (requests, stream) = mpsc::channel(1);
        let hello = v1::Hello {
            node: name(node),
            epoch: EPOCH,
            version: env!("CARGO_PKG_VERSION").into(),
            protocol: api::protocol::PROTOCOL,
        };
        let item = Some(publish_request::Item::Hello(hello));
        requests.send(v1::PublishRequest { item }).await?;
        let stream = ReceiverStream::new(stream);
        let answers = IngestClient::new(channel).publish(stream).await?;
        let mut answers = answers.into_inner();
        let first = answers.message().await?.and_then(|it| it.item);
        ensure!(
            matches!(first, Some(publish_response::Item::Welcome(_))),
            "the collector sent no welcome but {first:?}"
        );
        Ok(Self { requests, answers })
    }

    async fn send(&self, item: publish_request::Item) -> Result<()> {
        let request = v1::PublishRequest { item: Some(item) };
        Ok(self.requests.send(request).await?)
    }

    async fn publish(&mut self, events: Vec<v1::Event>) -> Result<()> {
        let mut after = 0;
        for events in events.chunks(BATCH) {
            let batch = v1::Batch {
                events: events.to_vec(),
                after,
                ..v1::Batch::default()
            };
            after += events.len() as u64;
            self.send(publish_request::Item::Batch(batch)).await?;
            while self.acknowledged().await? < after {}
        }
        Ok(())
    }

    async fn acknowledged(&mut self) -> Result<u64> {
        while let Some(answer) = self.answers.message().await? {
            if let Some(publish_response::Item::Acknowledgement(it)) = answer.item {
                if let Some(refusal) = it.refusals.first() {
                    bail!("the collector refused an event: {}", refusal.reason);
                }
                return Ok(it.sequence);
            }
        }
        bail!("the collector ended the stream")
    }
}
