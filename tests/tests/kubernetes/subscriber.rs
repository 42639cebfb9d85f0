//! Whoever subscribes, by `picket` in the collector's pod.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tests::{Cluster, Process};

use crate::install::{COLLECTOR, PICKET};

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) struct Subscriber {
    process: Process,
}

impl Subscriber {
    /// Subscribes to all that comes, and to what there is already.
    pub(crate) fn start(cluster: &Cluster) -> Result<Self> {
        let mut kubectl = cluster.kubectl()?;
        kubectl.args(["--namespace", PICKET, "exec", COLLECTOR, "--"]);
        kubectl.args(["/picket", "events", "--follow", "--json", "--after", "0"]);
        Ok(Self {
            process: Process::spawn("picket events", &mut kubectl)?,
        })
    }

    /// An event that is `wanted`.
    pub(crate) fn event(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Value> {
        let read = |line: &str| serde_json::from_str::<Value>(line).unwrap_or_default();
        let line = self
            .process
            .wait_for_line_that("the event", LIMIT, |line| wanted(&read(line)))?;
        Ok(read(&line))
    }
}
