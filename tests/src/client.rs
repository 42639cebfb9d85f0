//! A gRPC client of the collector or an agent, for code that is not async.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use anyhow::{Context, Result, bail, ensure};
use api::{
    transport::Remote,
    v1::{
        Event, ListNodesRequest, ListRequest, Node, SubscribeRequest, events_client::EventsClient,
        nodes_client::NodesClient, subscribe_request::From, subscribe_response::Item,
    },
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc::{Receiver, Sender, channel},
    time::timeout,
};
use tonic::{Status, Streaming, transport::Channel};

use crate::{
    deadline::{Deadline, wait_for},
    interrupt::interrupted,
};

const QUEUE: usize = 65_536;
const SLICE: Duration = Duration::from_millis(50);

/// A connection to a server of `picket.v1`.
#[derive(Debug)]
pub struct Client {
    runtime: Arc<Runtime>,
    channel: Channel,
}

impl Client {
    /// Connects to `http://HOST:PORT` or `unix:PATH` as soon as somebody answers there.
    ///
    /// # Errors
    /// When nobody does within `limit`.
    pub fn connect(address: &str, limit: Duration) -> Result<Self> {
        let remote: Remote = address.parse()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let channel = wait_for(&format!("a server on {address}"), limit, || {
            Ok(runtime.block_on(remote.connect()).ok())
        })?;
        Ok(Self {
            runtime: Arc::new(runtime),
            channel,
        })
    }

    /// Subscribes to all events from `from` on; none is missed once this returns.
    ///
    /// # Errors
    /// When the server refuses, or sends no heartbeat within `limit`.
    pub fn subscribe(&self, from: From, limit: Duration) -> Result<Subscription> {
        let mut client = EventsClient::new(self.channel.clone());
        let request = SubscribeRequest {
            filter: None,
            from: Some(from),
            log: 0,
        };
        let opened = async {
            let mut stream = client.subscribe(request).await?.into_inner();
            let first = stream.message().await?;
            Ok((stream, first.and_then(|response| response.item)))
        };
        let opened = self
            .runtime
            .block_on(async { timeout(limit, opened).await });
        let opened: Result<_, Status> = opened.context("Subscribe sends no first heartbeat")?;
        let (stream, first) = opened.context("Subscribe is refused")?;
        ensure!(
            matches!(first, Some(Item::Heartbeat(_))),
            "the first item is no heartbeat but {first:?}"
        );
        let (sender, received) = channel(QUEUE);
        self.runtime.spawn(pump(stream, sender));
        Ok(Subscription {
            runtime: Arc::clone(&self.runtime),
            received,
        })
    }

    /// Every event of the collector's log.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn events(&self) -> Result<Vec<Event>> {
        let mut client = EventsClient::new(self.channel.clone());
        let mut request = ListRequest {
            page_size: 1000,
            ..ListRequest::default()
        };
        let mut events = Vec::new();
        loop {
            let page = self.runtime.block_on(client.list(request.clone()))?;
            let page = page.into_inner();
            events.extend(page.events);
            if !page.more {
                return Ok(events);
            }
            request.after_cursor = page.next_cursor;
        }
    }

    /// The nodes that have published.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn nodes(&self) -> Result<Vec<Node>> {
        let mut client = NodesClient::new(self.channel.clone());
        let nodes = self.runtime.block_on(client.list(ListNodesRequest {}))?;
        Ok(nodes.into_inner().nodes)
    }
}

/// An event or a gap, and when it arrived.
#[derive(Clone, Debug)]
pub struct Received {
    /// What arrived.
    pub item: Item,
    /// When.
    pub at: SystemTime,
}

/// A running subscription.
#[derive(Debug)]
pub struct Subscription {
    runtime: Arc<Runtime>,
    received: Receiver<Received>,
}

impl Subscription {
    /// The next event or gap, or nothing when none comes within `limit`.
    ///
    /// # Errors
    /// When the stream ends, or this process is asked to end.
    pub fn poll(&mut self, limit: Duration) -> Result<Option<Received>> {
        let deadline = Deadline::after(limit);
        loop {
            ensure!(!interrupted(), "interrupted while waiting for an event");
            let slice = SLICE.min(deadline.left());
            let received = async { timeout(slice, self.received.recv()).await };
            match self.runtime.block_on(received) {
                Ok(Some(received)) => return Ok(Some(received)),
                Ok(None) => bail!("the server ended the subscription"),
                Err(_) if deadline.left().is_zero() => return Ok(None),
                Err(_) => {}
            }
        }
    }

    /// The next event or gap.
    ///
    /// # Errors
    /// When none comes within `limit`, or the stream ends.
    pub fn next(&mut self, limit: Duration) -> Result<Received> {
        let received = self.poll(limit)?;
        received.with_context(|| format!("no event came within {limit:?}"))
    }

    /// The next event that is `wanted`, and when it arrived; others are skipped.
    ///
    /// # Errors
    /// When none comes within `limit`, or the stream ends.
    pub fn event(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<(Event, SystemTime)> {
        let deadline = Deadline::after(limit);
        loop {
            let received = self.next(deadline.left())?;
            if let Item::Event(event) = received.item
                && wanted(&event)
            {
                return Ok((event, received.at));
            }
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moment of arrival is what is measured"
)]
async fn pump(mut stream: Streaming<api::v1::SubscribeResponse>, sender: Sender<Received>) {
    while let Ok(Some(response)) = stream.message().await {
        let at = SystemTime::now();
        let Some(item) = response.item else { continue };
        if !matches!(item, Item::Heartbeat(_)) && sender.send(Received { item, at }).await.is_err()
        {
            return;
        }
    }
}
