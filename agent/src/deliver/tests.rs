//! Delivery over real gRPC on Unix sockets.

mod bench;
mod publishing;
mod skew;
mod spooling;
mod subscribing;

use std::time::Duration;

use api::v1;

/// Far beyond what anything here takes, so that a test fails instead of hanging.
async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future)
        .await
        .expect("it happens before the deadline")
}

fn event(sequence: u64) -> v1::Event {
    v1::Event {
        id: Some(v1::EventId {
            node: "n1".into(),
            epoch: 7,
            sequence,
        }),
        severity: v1::Severity::Medium.into(),
        detector: "port_scan".into(),
        ..v1::Event::default()
    }
}

fn sequence_of(event: &v1::Event) -> u64 {
    event.id.as_ref().map_or(0, |id| id.sequence)
}
