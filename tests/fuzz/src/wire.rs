//! Arbitrary bytes are refused or are a message whose every field the collector can judge: nothing panics.
#![no_main]

/// Part of the collector, whose other parts need a database.
#[path = "../../../collector/src/ingest/event.rs"]
mod event;

use api::{
    encoding, filter,
    principal::Principal,
    summary,
    v1::{self, publish_request::Item},
    workload,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
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
}

fn judged(event: Option<v1::Event>) {
    let Some(event) = event else {
        return;
    };
    let hello = v1::Hello {
        node: "n1".into(),
        epoch: 5,
        version: String::new(),
    };
    drop(event::sequence(&event, &hello));
    if event::check(&event).is_err() {
        return;
    }
    // What was taken is told, kept, and given out again as it was.
    drop(summary::summarize(&event));
    let kept = encoding::encode(&event);
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
    drop(workload::of_pod(&text).len());
    if let Some(principal) = Principal::of_uri(&text) {
        assert_eq!(principal.to_string(), text);
    }
}
