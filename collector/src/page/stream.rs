//! What is new, as server-sent events (HTML, section 9.2): each page is a cursor into the log, like any subscriber.
//! One that falls behind is told to load anew, and goes on with what is new then.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use api::{
    json,
    v1::{
        self, SubscribeRequest, events_server::Events as _, subscribe_request::From,
        subscribe_response::Item,
    },
};
use axum::{
    Extension,
    body::{Body, Bytes},
    extract::State,
    http::{
        HeaderMap,
        header::{CACHE_CONTROL, CONTENT_TYPE},
    },
    response::{IntoResponse as _, Response},
};
use futures_util::{Stream, StreamExt as _, stream};
use serde::Serialize;
use tokio::{
    sync::{OwnedSemaphorePermit, watch},
    time::{Interval, MissedTickBehavior, interval},
};
use tonic::Status;

use super::{answer::Refused, ask, shared::Shared};
use crate::access::{self, Caller};

/// Events that a page may be behind.
const BEHIND: u64 = 4096;
/// How often it is looked whether something about nodes changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LAST_EVENT: &str = "last-event-id";

type Events = <crate::subscribe::Events as v1::events_server::Events>::SubscribeStream;

/// One page's stream.
struct Told {
    shared: Shared,
    caller: Caller,
    seen: Option<Vec<String>>,
    events: Events,
    ready: VecDeque<Bytes>,
    look: Interval,
    nodes: u64,
    policy: watch::Receiver<Option<v1::Policy>>,
    greeted: bool,
    _seat: OwnedSemaphorePermit,
}

#[derive(Serialize)]
struct Hello {
    cursor: u64,
    log: String,
    version: &'static str,
}

#[derive(Serialize)]
struct Reached {
    cursor: u64,
}

#[derive(Serialize)]
struct Revision {
    revision: String,
}

pub(super) async fn stream(
    State(shared): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let seen = access::scope(&ask::request((), caller.clone()))?;
    let seen = seen.namespaces().map(<[String]>::to_vec);
    let seat = std::sync::Arc::clone(&shared.streams).try_acquire_owned();
    let seat = seat.map_err(|_| {
        Status::resource_exhausted("too many pages are open; close one, and load this one again")
    })?;
    let last = headers.get(LAST_EVENT).and_then(|it| it.to_str().ok());
    let last = last.and_then(|it| it.parse::<u64>().ok());
    let mut ready = VecDeque::new();
    let events = match last {
        None => subscribe(&shared, &caller, From::Now(true)).await?,
        Some(cursor) => match subscribe(&shared, &caller, From::AfterCursor(cursor)).await {
            // It was removed, or the log is another one.
            Err(status) if status.code() == tonic::Code::OutOfRange => {
                ready.push_back(resync(&shared));
                subscribe(&shared, &caller, From::Now(true)).await?
            }
            events => events?,
        },
    };
    let mut look = interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut policy = shared.services.detectors.told.policy.clone();
    // The page asks for what is in force.
    policy.mark_unchanged();
    let told = Told {
        nodes: shared.services.nodes.changes(),
        policy,
        shared,
        caller,
        seen,
        events,
        ready,
        look,
        greeted: false,
        _seat: seat,
    };
    let headers = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-store"),
    ];
    Ok((headers, Body::from_stream(told.stream())).into_response())
}

async fn subscribe(shared: &Shared, caller: &Caller, from: From) -> Result<Events, Status> {
    let request = SubscribeRequest {
        from: Some(from),
        ..SubscribeRequest::default()
    };
    let request = ask::request(request, caller.clone());
    let events = shared.services.events.subscribe(request).await?;
    Ok(events.into_inner())
}

impl Told {
    fn stream(self) -> impl Stream<Item = Result<Bytes, Infallible>> + Send {
        stream::unfold(self, |mut told| async move {
            loop {
                if let Some(bytes) = told.ready.pop_front() {
                    return Some((Ok(bytes), told));
                }
                told.next().await?;
            }
        })
    }

    /// Waits for something to tell; none when there will be nothing more.
    async fn next(&mut self) -> Option<()> {
        tokio::select! {
            item = self.events.next() => match item?.ok()?.item? {
                Item::Event(event) => self.event(event).await,
                Item::Heartbeat(heartbeat) => {
                    self.heartbeat(&heartbeat);
                    Some(())
                }
                Item::Gap(gap) => {
                    self.ready.push_back(told("gap", Some(gap.cursor), &json::Gap::new(&gap)));
                    Some(())
                }
            },
            _ = self.look.tick() => {
                let nodes = self.shared.services.nodes.changes();
                if std::mem::replace(&mut self.nodes, nodes) != nodes && self.seen.is_none() {
                    self.ready.push_back(told("nodes", None, &serde_json::json!({})));
                }
                Some(())
            },
            Ok(()) = self.policy.changed() => {
                let revision = self.policy.borrow_and_update().clone();
                let revision = revision.map(|it| it.revision).unwrap_or_default();
                self.ready.push_back(told("policy", None, &Revision { revision }));
                Some(())
            },
        }
    }

    async fn event(&mut self, event: v1::Event) -> Option<()> {
        let services = &self.shared.services;
        let last = *services.log.store.last().borrow();
        if last.saturating_sub(event.cursor) > BEHIND {
            self.ready.push_back(resync(&self.shared));
            self.events = subscribe(&self.shared, &self.caller, From::Now(true))
                .await
                .ok()?;
            return Some(());
        }
        let anomaly = services
            .anomalies
            .changed_by(&event, self.seen.as_deref())
            .await;
        if let Some(anomaly) = anomaly {
            self.ready
                .push_back(told("anomaly", None, &json::Anomaly::new(&anomaly)));
        }
        let event = crate::anomalies::without_sets(event);
        self.ready
            .push_back(told("event", Some(event.cursor), &json::Event::new(&event)));
        Some(())
    }

    fn heartbeat(&mut self, heartbeat: &v1::Heartbeat) {
        if std::mem::replace(&mut self.greeted, true) {
            // No comment, which no script could see: a connection may die without a word.
            let reached = Reached {
                cursor: heartbeat.cursor,
            };
            self.ready.push_back(told("heartbeat", None, &reached));
            return;
        }
        let hello = Hello {
            cursor: heartbeat.cursor,
            log: heartbeat.log.to_string(),
            version: env!("CARGO_PKG_VERSION"),
        };
        self.ready
            .push_back(told("hello", Some(heartbeat.cursor), &hello));
    }
}

fn resync(shared: &Shared) -> Bytes {
    let cursor = *shared.services.log.store.last().borrow();
    told("resync", Some(cursor), &Reached { cursor })
}

/// JSON has no line of its own that would end the event.
fn told(name: &str, id: Option<u64>, body: &impl Serialize) -> Bytes {
    let body = serde_json::to_string(body).unwrap_or_default();
    let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
    format!("{id}event: {name}\ndata: {body}\n\n").into()
}
