//! Arbitrary bytes are refused or are a message whose every field the collector can judge: nothing panics.
#![no_main]

/// Parts of the collector, whose other parts need a database.
#[path = "../../../collector/src/ingest/event.rs"]
mod event;
#[path = "../../../collector/src/ingest/field.rs"]
mod field;
#[path = "../../../collector/src/ingest/gap.rs"]
mod gap;
#[path = "../../../collector/src/ingest/id.rs"]
mod id;

use std::{env, fs, path::Path};

use api::{
    encoding, filter,
    principal::Principal,
    summary,
    v1::{self, publish_request::Item},
    workload,
};
use libfuzzer_sys::fuzz_target;

/// The folder that what to begin with is written to; it is the corpus that the fuzzer reads next.
const FOLDER: &str = "PICKET_SEEDS";

fuzz_target!(init: plant(), |input: &[u8]| {
    // The first byte says what the rest is.
    let Some((kind, bytes)) = input.split_first() else {
        return;
    };
    match kind % 4 {
        0 => published(bytes),
        1 => judged(encoding::read(bytes).ok()),
        2 => subscribed(bytes),
        _ => named(bytes),
    }
});

/// An event that is taken, as each kind of input.
fn plant() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let at = Some(v1::Timestamp {
        seconds: 100,
        nanos: 5,
    });
    let endpoint = v1::Endpoint {
        namespace: "default".into(),
        pod: "web-5d4f7c9b84-x2x7k".into(),
        address: "10.244.147.92".into(),
        ..Default::default()
    };
    let event = encoding::encode(&v1::Event {
        id: Some(v1::EventId {
            node: "n1".into(),
            epoch: 5,
            sequence: 1,
        }),
        anomaly_id: "n1/5/1.1/port_scan/1".into(),
        state: v1::State::Opened.into(),
        detector: "port_scan".into(),
        severity: v1::Severity::High.into(),
        raised_at: at,
        crossed_at: at,
        first_seen: at,
        last_seen: at,
        source: Some(endpoint.clone()),
        targets: vec![v1::Target {
            endpoint: Some(endpoint),
            sample_ports: vec![21, 22],
            ..Default::default()
        }],
        ..Default::default()
    });
    let seeds = [
        [&[1], &event[..]].concat(),
        [&[2, 0], &event[..]].concat(),
        b"\x03picket://node/n1".to_vec(),
    ];
    for (index, seed) in seeds.iter().enumerate() {
        let place = Path::new(&folder).join(format!("seed-wire-{index}"));
        fs::write(&place, seed).unwrap_or_else(|error| panic!("cannot write {place:?}: {error}"));
    }
}

fn published(bytes: &[u8]) {
    let Ok(v1::PublishRequest { item: Some(item) }) = encoding::read(bytes) else {
        return;
    };
    let Item::Batch(batch) = item else {
        return;
    };
    for event in batch.events {
        judged(Some(event));
    }
    for gap in batch.gaps {
        drop(id::sequence(gap.id.as_ref(), &hello()));
        if gap::check(&gap).is_ok() {
            let kept = encoding::encode_gap(&gap);
            assert_eq!(encoding::decode_gap(&kept).ok().as_ref(), Some(&gap));
        }
    }
}

fn hello() -> v1::Hello {
    v1::Hello {
        node: "n1".into(),
        epoch: 5,
        version: String::new(),
        ..v1::Hello::default()
    }
}

fn judged(event: Option<v1::Event>) {
    let Some(event) = event else {
        return;
    };
    drop(id::sequence(event.id.as_ref(), &hello()));
    if event::check(&event).is_err() {
        return;
    }
    // What was taken is told, kept, and given out again as it was.
    drop(summary::summarize(&event));
    let kept = encoding::encode(&event);
    if event::check_size(kept.len()).is_err() {
        return;
    }
    assert_eq!(kept.len(), encoding::size(&event));
    assert_eq!(encoding::decode(&kept).ok().as_ref(), Some(&event));
}

fn subscribed(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first() else {
        return;
    };
    let (request, event) = rest.split_at(rest.len().min((*length).into()));
    let request: Result<v1::SubscribeRequest, _> = encoding::read(request);
    let (Ok(request), Ok(event)) = (request, encoding::decode(event)) else {
        return;
    };
    let filter = request.filter.unwrap_or_default();
    // What a subscriber may see never grows with what it asks for.
    let within = v1::Filter {
        namespaces: filter.namespaces.clone(),
        ..Default::default()
    };
    if filter::matches(&filter, &event) {
        assert!(filter::matches(&within, &event));
    }
}

fn named(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    assert!(text.starts_with(workload::of_pod(&text)));
    if let Some(principal) = Principal::of_uri(&text) {
        assert_eq!(principal.to_string(), text);
    }
}
