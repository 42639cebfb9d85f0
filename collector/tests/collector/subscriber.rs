//! A client of `Events.Subscribe`.

use api::v1::{
    self, SubscribeRequest, events_client::EventsClient, subscribe_request::From,
    subscribe_response::Item,
};
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::harness::{sequence, within};

pub(crate) struct Subscriber(Streaming<v1::SubscribeResponse>);

impl Subscriber {
    pub(crate) async fn open(
        mut client: EventsClient<Channel>,
        from: From,
        filter: v1::Filter,
    ) -> Result<Self, Status> {
        let request = SubscribeRequest {
            filter: Some(filter),
            from: Some(from),
            log: 0,
        };
        Ok(Self(client.subscribe(request).await?.into_inner()))
    }

    pub(crate) async fn next(&mut self) -> Result<Item, Status> {
        let response = within("an item", self.0.message()).await?;
        let response = response.ok_or_else(|| Status::new(Code::Ok, "the stream ended"))?;
        Ok(response.item.expect("a response has an item"))
    }

    pub(crate) async fn heartbeat(&mut self) -> u64 {
        match self.next().await.unwrap() {
            Item::Heartbeat(heartbeat) => heartbeat.cursor,
            other => panic!("{other:?} is no heartbeat"),
        }
    }

    /// The next event or gap.
    pub(crate) async fn entry(&mut self) -> Item {
        let entry = async {
            loop {
                match self.next().await.unwrap() {
                    Item::Heartbeat(_) => {}
                    entry => return entry,
                }
            }
        };
        within("an entry", entry).await
    }

    pub(crate) async fn event(&mut self) -> v1::Event {
        match self.entry().await {
            Item::Event(event) => event,
            other => panic!("{other:?} is no event"),
        }
    }

    /// The sequences of the next events.
    pub(crate) async fn sequences(&mut self, count: usize) -> Vec<u64> {
        let mut sequences = Vec::new();
        for _ in 0..count {
            sequences.push(sequence(&self.event().await));
        }
        sequences
    }
}
