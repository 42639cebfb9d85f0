//! What other replicas commit is told of by the server, on a connection of its own.

use std::{convert::Infallible, future::poll_fn, time::Duration};

use tokio::time::sleep;
use tokio_postgres::{AsyncMessage, Client};
use tokio_util::task::AbortOnDropHandle;

use super::{
    super::{bounds::Bounds, error::Cause},
    connect::{self, Undriven},
    queries,
    server::Server,
    transaction::CHANNEL,
};

/// How often the log is looked at all the same: a connection may be dead and nobody knows yet.
const POLL: Duration = Duration::from_secs(5);

/// Between two tries to connect, at first and at most.
const SHORTEST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// Listens until it is dropped.
pub(super) fn start(server: Server, bounds: Bounds) -> AbortOnDropHandle<()> {
    AbortOnDropHandle::new(tokio::spawn(listen(server, bounds)))
}

async fn listen(server: Server, bounds: Bounds) {
    let mut delay = SHORTEST;
    loop {
        let Err(error) = once(&server, &bounds, &mut delay).await;
        tracing::warn!(%error, ?delay, "no longer told of what other collectors commit; connecting again");
        sleep(delay).await;
        delay = LONGEST.min(2 * delay);
    }
}

async fn once(server: &Server, bounds: &Bounds, delay: &mut Duration) -> Result<Infallible, Cause> {
    let (client, connection) = connect::open(server).await?;
    tokio::select! {
        told = told(connection, server, bounds) => told,
        asked = ask(&client, bounds, delay) => asked,
    }
}

async fn told(
    mut connection: Undriven,
    server: &Server,
    bounds: &Bounds,
) -> Result<Infallible, Cause> {
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let AsyncMessage::Notification(notification) = message? {
            server.metrics.notified();
            let mut numbers = notification.payload().split(' ').map(str::parse);
            if let (Some(Ok(last)), Some(Ok(horizon))) = (numbers.next(), numbers.next()) {
                bounds.advance(last, horizon);
            }
        }
    }
    Err(Cause::Cut)
}

async fn ask(client: &Client, bounds: &Bounds, delay: &mut Duration) -> Result<Infallible, Cause> {
    connect::set_up(client).await?;
    let listen = format!("LISTEN {}", CHANNEL);
    client.batch_execute(&listen).await?;
    *delay = SHORTEST;
    loop {
        // What was told of before this connection listened is found here.
        let head = queries::head(client).await?;
        bounds.advance(head.last, head.horizon);
        sleep(POLL).await;
    }
}
