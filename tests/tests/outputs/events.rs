//! Events of a node that is played, sent until the collector has them.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use anyhow::{Context as _, Result, bail};
use api::{
    protocol::PROTOCOL,
    transport::Remote,
    v1::{self, ingest_client::IngestClient, publish_request, publish_response},
};
use tests::wait_for;
use tokio::{runtime::Builder, sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;

use crate::collector::{LIMIT, socket};

pub(crate) const NODE: &str = "node-1.example";
pub(crate) const EPOCH: u64 = 1_795_000_000_000_000_000;

/// Of a batch.
const BATCH: usize = 50;
const PATIENCE: Duration = Duration::from_secs(5);

/// Has the collector in `folder` take all of these, in order; it may be killed meanwhile.
pub(crate) fn publish(folder: &Path, events: &[v1::Event]) -> Result<()> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let remote: Remote = format!("unix:{}", socket(folder).display()).parse()?;
    wait_for("all events to be taken", LIMIT, || {
        let sent = runtime.block_on(async { timeout(PATIENCE, send(&remote, events)).await });
        Ok(sent.ok().and_then(Result::ok))
    })
}

async fn send(remote: &Remote, events: &[v1::Event]) -> Result<()> {
    let (requests, receiver) = mpsc::channel(4);
    let request = |item| v1::PublishRequest { item: Some(item) };
    let hello = v1::Hello {
        node: NODE.into(),
        epoch: EPOCH,
        version: env!("CARGO_PKG_VERSION").into(),
        protocol: PROTOCOL,
    };
    requests
        .send(request(publish_request::Item::Hello(hello)))
        .await?;
    let mut client = IngestClient::new(remote.connect().await?);
    let mut answers = client
        .publish(ReceiverStream::new(receiver))
        .await?
        .into_inner();
    let first = answers.message().await?.and_then(|it| it.item);
    let Some(publish_response::Item::Welcome(welcome)) = first else {
        bail!("no welcome but {first:?}");
    };
    let mut after = welcome.sequence;
    let missing: Vec<_> = events.iter().filter(|it| sequence(it) > after).collect();
    for batch in missing.chunks(BATCH) {
        let last = batch.last().map_or(after, |it| sequence(it));
        let batch = v1::Batch {
            events: batch.iter().map(|it| (*it).clone()).collect(),
            after,
            ..v1::Batch::default()
        };
        requests
            .send(request(publish_request::Item::Batch(batch)))
            .await?;
        loop {
            let answer = answers.message().await?.context("the stream ended")?;
            if let Some(publish_response::Item::Acknowledgement(it)) = answer.item
                && it.sequence >= last
            {
                break;
            }
        }
        after = last;
    }
    Ok(())
}

pub(crate) fn sequence(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}

/// Several, one anomaly each.
pub(crate) fn events(sequences: std::ops::RangeInclusive<u64>) -> Vec<v1::Event> {
    sequences
        .map(|it| event(it, &anomaly(it), v1::State::Opened))
        .collect()
}

pub(crate) fn anomaly(number: u64) -> String {
    format!("{NODE}/{EPOCH}/1.1/port_scan/{number}")
}

#[expect(clippy::disallowed_methods, reason = "events are raised now")]
pub(crate) fn event(sequence: u64, anomaly: &str, state: v1::State) -> v1::Event {
    let at = Some(v1::Timestamp::from(SystemTime::now()));
    v1::Event {
        id: Some(v1::EventId {
            node: NODE.into(),
            epoch: EPOCH,
            sequence,
        }),
        anomaly_id: anomaly.into(),
        state: state.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(v1::Endpoint {
            namespace: "shop".into(),
            pod: "web-0".into(),
            address: "10.244.147.92".into(),
            ..v1::Endpoint::default()
        }),
        targets: vec![v1::Target {
            endpoint: Some(v1::Endpoint {
                address: "10.244.147.93".into(),
                ..v1::Endpoint::default()
            }),
            ..v1::Target::default()
        }],
        ..v1::Event::default()
    }
}
