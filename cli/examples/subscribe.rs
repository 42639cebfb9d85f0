//! Prints what happens as it happens.

use api::v1::{SubscribeRequest, events_client::EventsClient, subscribe_response::Item};

#[tokio::main]
#[expect(clippy::print_stdout, reason = "its purpose")]
async fn main() -> anyhow::Result<()> {
    let collector: api::transport::Remote = "http://127.0.0.1:7400".parse()?;
    let mut client = EventsClient::new(collector.connect().await?);
    let answer = client.subscribe(SubscribeRequest::default()).await?;
    let mut stream = answer.into_inner();
    while let Some(response) = stream.message().await? {
        if let Some(Item::Event(event)) = response.item {
            println!("{}", event.summary);
        }
    }
    Ok(())
}
