//! Where the log begins and ends, as far as this process knows; whoever learns more says so here.

use tokio::sync::watch;

use super::metrics::Metrics;

/// Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    last: watch::Sender<u64>,
    horizon: watch::Sender<u64>,
    metrics: Metrics,
}

impl Bounds {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self {
            last: watch::Sender::new(0),
            horizon: watch::Sender::new(0),
            metrics,
        }
    }

    /// Tells what was committed. News may come late, over several ways, and out of order.
    pub(super) fn advance(&self, last: u64, horizon: u64) {
        advance(&self.horizon, horizon);
        advance(&self.last, last);
        self.metrics.bounds(self.last(), *self.horizon.borrow());
    }

    pub(super) fn last(&self) -> u64 {
        *self.last.borrow()
    }

    pub(super) fn watch_last(&self) -> watch::Receiver<u64> {
        self.last.subscribe()
    }

    pub(super) fn watch_horizon(&self) -> watch::Receiver<u64> {
        self.horizon.subscribe()
    }
}

fn advance(watched: &watch::Sender<u64>, to: u64) {
    watched.send_if_modified(|current| {
        let grows = to > *current;
        *current = to.max(*current);
        grows
    });
}
