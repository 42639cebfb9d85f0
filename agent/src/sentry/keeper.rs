//! Keeps what is usual in its file: read at the start, written now and then and at the end.

use std::time::Duration;

use detect::Detectors;
use tokio::task::{JoinHandle, spawn_blocking};
use tracing::{info, warn};

use crate::baselines::Store;

/// What is usual is learned by the hour: of little else than the hour that goes on is lost in this time.
pub(super) const KEEP_EVERY: Duration = Duration::from_secs(10 * 60);

/// The file, if there is one.
#[derive(Debug)]
pub(super) struct Keeper {
    store: Option<Store>,
    writing: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Hands what the file says to the detectors. Without a good file they learn anew.
    pub(super) fn start(store: Option<Store>, detectors: &mut Detectors) -> Self {
        if let Some(store) = &store {
            let restored = store.read().and_then(|baselines| {
                let restored = detectors.restore(baselines);
                restored.map_err(|error| store.damaged(error))
            });
            match restored {
                Ok(()) => {
                    let workloads = detectors.baselines().len();
                    let file = store.path().display();
                    info!(%file, workloads, "took over what is usual");
                }
                Err(error) => warn!(%error, "learning anew what is usual"),
            }
        }
        Self {
            store,
            writing: None,
        }
    }

    /// Begins to write, unless that is still being done.
    pub(super) fn keep(&mut self, detectors: &Detectors) {
        let busy = self.writing.as_ref().is_some_and(|it| !it.is_finished());
        if let Some(store) = self.store.clone().filter(|_| !busy) {
            let baselines = detectors.baselines();
            self.writing = Some(spawn_blocking(move || write(&store, &baselines)));
        }
    }

    /// Writes for the last time.
    pub(super) async fn finish(&mut self, detectors: &Detectors) {
        self.written().await;
        self.keep(detectors);
        self.written().await;
    }

    async fn written(&mut self) {
        if let Some(writing) = self.writing.take()
            && let Err(error) = writing.await
        {
            warn!(%error, "what is usual was not written");
        }
    }
}

fn write(store: &Store, baselines: &[detect::Baseline]) {
    if let Err(error) = store.write(baselines) {
        warn!(%error, "what is usual will be learned anew after a restart");
    }
}
