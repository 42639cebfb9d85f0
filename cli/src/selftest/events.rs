//! The events of scans that were asked for, as a subscriber gets them.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use api::v1::{
    Event, Filter, SubscribeRequest, SubscribeResponse, subscribe_request::From,
    subscribe_response::Item,
};
use tokio::time::{sleep, timeout};
use tonic::Streaming;

use crate::server::{Server, ServerError};

/// For the first word of a stream.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct Events {
    /// None once it has ended.
    stream: Option<Streaming<SubscribeResponse>>,
    /// How the `anomaly_id` of those events ends.
    ending: String,
    /// By node.
    after: BTreeMap<String, Duration>,
}

impl Events {
    /// Of the test with this id, which is not asked for yet.
    pub(super) async fn subscribe(server: &Server, id: &str) -> Result<Self, ServerError> {
        let request = SubscribeRequest {
            filter: Some(Filter {
                detectors: vec!["canary".into()],
                ..Filter::default()
            }),
            from: Some(From::Now(true)),
            ..SubscribeRequest::default()
        };
        let mut stream = server.subscribe(request).await?;
        // A heartbeat, which says that it begins here.
        drop(timeout(PATIENCE, stream.message()).await);
        Ok(Self {
            stream: Some(stream),
            ending: format!("/selftest/{id}"),
            after: BTreeMap::new(),
        })
    }

    /// How long after the first packet of its scan the event of this node was here.
    pub(super) fn after(&self, node: &str) -> Option<Duration> {
        self.after.get(node).copied()
    }

    /// Takes in what comes within this time.
    pub(super) async fn take_for(&mut self, time: Duration) {
        let took = timeout(time, self.take()).await;
        if took.is_ok() {
            // The stream has ended; the nodes may still say how it went.
            self.stream = None;
            sleep(time).await;
        }
    }

    async fn take(&mut self) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        while let Ok(Some(response)) = stream.message().await {
            let Some(Item::Event(event)) = response.item else {
                continue;
            };
            if event.anomaly_id.ends_with(&self.ending)
                && let Some((node, after)) = arrived(event)
            {
                self.after.insert(node, after);
            }
        }
    }
}

/// Both clocks must agree; one that is ahead has the event here at once.
fn arrived(event: Event) -> Option<(String, Duration)> {
    let began = SystemTime::try_from(event.first_seen?).ok()?;
    #[expect(clippy::disallowed_methods, reason = "an event arrives now")]
    let after = SystemTime::now().duration_since(began).unwrap_or_default();
    Some((event.id?.node, after))
}
