//! Delivers to the collector, whatever happens to the connection.

use std::error::Error;

use api::{transport::Remote, v1};
use tokio::{sync::watch, time::sleep};
use tracing::warn;

use super::{
    backoff::Backoff, connection_error::ConnectionError, downlink::Downlink, outbox::Outbox,
    spool::Spool, stream::Delivery,
};

/// Who delivers.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Name of the node.
    pub node: String,
    /// Start of the agent, in nanoseconds since 1970; later than [`Outbox::newest_epoch`].
    pub epoch: u64,
}

/// Fetches events from an [`Outbox`] and delivers them at least once, in order: those of agents before this
/// one first, each epoch over a stream of its own.
#[derive(Debug)]
pub struct Publisher {
    /// The collector.
    pub remote: Remote,
    /// Who delivers.
    pub agent: Agent,
    /// Where events come from.
    pub outbox: Outbox,
    /// Where that goes which the collector tells.
    pub downlink: Downlink,
    /// Where the node's status comes from.
    pub status: watch::Receiver<v1::NodeStatus>,
}

impl Publisher {
    /// Delivers until `stop` says true, and then what is left; ends when all is acknowledged.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        // What stands alone has nothing to deliver.
        let Some(spool) = self.outbox.spool() else {
            return;
        };
        let mut backoff = Backoff::default();
        let mut trouble = None;
        loop {
            let ended = self
                .deliver(spool, &mut backoff, &mut trouble, &mut stop)
                .await;
            let metrics = self.outbox.metrics();
            metrics.connected.set(0);
            self.downlink.left();
            let Err(error) = ended else { return };
            metrics.connection_failures.inc();
            let said = error.to_string();
            if trouble.as_ref() != Some(&said) {
                warn!(
                    error = &error as &dyn Error,
                    pending = self.outbox.pending(),
                    "not delivering; events are kept and the collector is tried again"
                );
                trouble = Some(said);
            }
            tokio::select! {
                () = sleep(error.delay() + backoff.next()) => {}
                () = self.done(&mut stop) => return,
            }
        }
    }

    /// Connects, and delivers one epoch after the other until all is done.
    async fn deliver(
        &self,
        spool: &Spool,
        backoff: &mut Backoff,
        trouble: &mut Option<String>,
        stop: &mut watch::Receiver<bool>,
    ) -> Result<(), ConnectionError> {
        let channel = tokio::select! {
            channel = self.remote.connect() => channel?,
            () = self.done(stop) => return Ok(()),
        };
        loop {
            let oldest = spool.told().borrow().oldest_epoch;
            let delivery = Delivery {
                remote: &self.remote,
                node: &self.agent.node,
                epoch: oldest.unwrap_or(self.agent.epoch),
                outbox: &self.outbox,
                spool,
                downlink: &self.downlink,
                status: &self.status,
            };
            let stream = tokio::select! {
                stream = delivery.open(channel.clone()) => stream?,
                () = self.done(stop) => return Ok(()),
            };
            *trouble = None;
            let current = self.agent.epoch;
            let is_done = delivery
                .run(stream, backoff, current, self.done(stop))
                .await?;
            if is_done {
                return Ok(());
            }
        }
    }

    /// Waits until there is nothing to deliver any more.
    async fn done(&self, stop: &mut watch::Receiver<bool>) {
        stopped(stop).await;
        self.outbox.drained().await;
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Who can no longer say so has stopped too.
    let _gone = stop.wait_for(|stop| *stop).await;
}
