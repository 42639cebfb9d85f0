//! Serves all outputs, while no other collector does, and reads their file again when it changes.

use std::{sync::Arc, time::Duration};

use api::transport::Settled;
use tokio::{
    task::JoinSet,
    time::{Interval, interval, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{
    list::{Outputs, OutputsError},
    metrics::Metrics,
    output::Served,
    reader::Said,
    worker::{Place, Worker},
};
use crate::{
    anomalies::Anomalies,
    store::{Held, StoreError, chain},
    subscribe::Log,
};

/// A mounted secret changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Before the outputs are served again after the store failed.
const REST: Duration = Duration::from_secs(1);

/// What is being sent at the end may take so long.
const GRACE: Duration = Duration::from_secs(5);

/// Serves the outputs until the collector shuts down.
#[derive(Debug)]
pub(crate) struct Runner {
    outputs: Option<Outputs>,
    log: Log,
    anomalies: Anomalies,
    metrics: Metrics,
    shutdown: CancellationToken,
}

impl Runner {
    pub(crate) fn new(
        outputs: Option<Outputs>,
        log: Log,
        anomalies: Anomalies,
        metrics: Metrics,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            outputs,
            log,
            anomalies,
            metrics,
            shutdown,
        }
    }

    /// Ends soon after the collector is to shut down, with every cursor kept.
    pub(crate) async fn run(mut self) {
        let Some(mut outputs) = self.outputs.take() else {
            return;
        };
        let mut following = Following::new(&outputs);
        self.announce(&outputs.all);
        loop {
            let held = tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return,
                fresh = following.next(&self.metrics) => {
                    self.replace(&mut outputs, fresh);
                    continue;
                }
                held = self.hold() => Arc::new(held),
            };
            self.metrics.serving(true);
            let ended = self.serve(&mut outputs.all, held, &mut following).await;
            self.metrics.serving(false);
            match ended {
                Ended::Shutdown => return,
                Ended::Fresh(fresh) => self.replace(&mut outputs, fresh),
                Ended::Failed => sleep(REST).await,
            }
        }
    }

    /// So that a rate has a zero to begin with.
    fn announce(&self, all: &[Served]) {
        for served in all {
            drop(self.metrics.of(&served.output.name));
        }
    }

    fn replace(&self, outputs: &mut Outputs, fresh: Outputs) {
        let stays = |name: &str| fresh.all.iter().any(|it| it.output.name == name);
        for served in &outputs.all {
            if !stays(&served.output.name) {
                self.metrics.forget(&served.output.name);
            }
        }
        self.announce(&fresh.all);
        *outputs = fresh;
    }

    async fn hold(&self) -> Held {
        loop {
            match self.log.store.hold().await {
                Ok(held) => return held,
                Err(error) => {
                    tracing::warn!(
                        error = chain(&error),
                        "cannot serve the outputs; trying again"
                    );
                    sleep(REST).await;
                }
            }
        }
    }

    /// Serves them until something happens, and returns when all of them have stopped.
    async fn serve(
        &self,
        all: &mut Vec<Served>,
        held: Arc<Held>,
        following: &mut Following,
    ) -> Ended {
        let stop = CancellationToken::new();
        let mut working = JoinSet::new();
        for served in all.drain(..) {
            let place = Place {
                log: self.log.clone(),
                anomalies: self.anomalies.clone(),
                held: Arc::clone(&held),
                stop: stop.clone(),
            };
            let series = self.metrics.of(&served.output.name);
            working.spawn(async move {
                let mut served = served;
                let (output, destination) = (&served.output, &mut served.destination);
                let worker = Worker::new(output, destination, place, series);
                let (reached, result) = worker.run(served.reached).await;
                served.reached = reached;
                (served, result)
            });
        }
        let idle = working.is_empty();
        let ended = tokio::select! {
            biased;
            () = self.shutdown.cancelled() => Ended::Shutdown,
            fresh = following.next(&self.metrics) => Ended::Fresh(fresh),
            Some(joined) = working.join_next(), if !idle => {
                all.extend(joined.ok().map(stopped));
                Ended::Failed
            }
        };
        stop.cancel();
        let rest = async {
            while let Some(joined) = working.join_next().await {
                all.extend(joined.ok().map(stopped));
            }
        };
        let late = async {
            self.shutdown.cancelled().await;
            sleep(GRACE).await;
        };
        tokio::select! {
            () = rest => {}
            () = late => tracing::warn!("an output is still being sent; it is sent again after the next start"),
        }
        ended
    }
}

enum Ended {
    Shutdown,
    Fresh(Outputs),
    /// The store, or the right to serve.
    Failed,
}

fn stopped((served, result): (Served, Result<(), StoreError>)) -> Served {
    if let Err(error) = result {
        let output = &served.output.name;
        tracing::warn!(
            output,
            error = chain(&error),
            "the cursor of an output cannot be kept; trying again"
        );
    }
    served
}

/// Looks at the file again and again.
struct Following {
    path: std::path::PathBuf,
    settled: Settled<Result<Vec<(std::path::PathBuf, Said)>, String>>,
    look: Interval,
}

impl Following {
    fn new(outputs: &Outputs) -> Self {
        Self {
            path: outputs.path.clone(),
            settled: Settled::on(Ok(outputs.said.clone())),
            look: interval(LOOK_EVERY),
        }
    }

    /// The outputs when they are others, and can be used. It may be asked again at any time.
    async fn next(&mut self, metrics: &Metrics) -> Outputs {
        loop {
            self.look.tick().await;
            let path = self.path.clone();
            let read = tokio::task::spawn_blocking(move || Outputs::read(&path)).await;
            let Ok(read) = read else {
                continue;
            };
            let said = |read: &Result<Outputs, OutputsError>| match read {
                Ok(it) => Ok(it.said.clone()),
                Err(error) => Err(error.to_string()),
            };
            if !self.settled.is_news(said(&read)) {
                continue;
            }
            match read {
                Ok(fresh) => {
                    metrics.reread(true);
                    tracing::info!(file = %self.path.display(), "the outputs are set anew");
                    return fresh;
                }
                Err(error) => {
                    metrics.reread(false);
                    tracing::warn!(%error, "new outputs cannot be used, so those before stay");
                }
            }
        }
    }
}
