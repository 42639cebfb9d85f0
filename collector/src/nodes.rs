//! The nodes that have published, and their own account of themselves.

mod canary;
mod metrics;
mod relay;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use api::{
    encoding,
    v1::{self, nodes_server},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use self::{canary::Canary, relay::Relay};
pub(crate) use self::{metrics::Metrics, relay::RelayError};
use crate::access;

/// Nodes remembered; Kubernetes supports 5,000.
const MOST: usize = 10_000;

/// Of each kind in a status, at most; an agent has room for fewer slots.
const LISTED: usize = 4096;

const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Bytes of a status, encoded.
const STATUS_BYTES: usize = 512 * 1024;

/// No room for another node.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot take node `{node}`: {MOST} nodes have published already; restart the collector to forget those that are gone"
)]
pub(crate) struct TooManyNodes {
    node: String,
}

/// All nodes since the collector started. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Nodes {
    known: Arc<Mutex<BTreeMap<String, Known>>>,
    policy: watch::Receiver<Option<v1::PolicyStatus>>,
    changes: Arc<AtomicU64>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Known {
    node: v1::Node,
    /// Ends the stream that speaks for the node.
    replaced: CancellationToken,
    /// Tells that stream from those it replaced.
    stream: u64,
    /// To the agent.
    relay: Relay,
}

impl Nodes {
    /// `policy` is what every agent is told.
    pub(crate) fn new(metrics: Metrics, policy: watch::Receiver<Option<v1::PolicyStatus>>) -> Self {
        Self {
            known: Arc::default(),
            policy,
            changes: Arc::default(),
            metrics,
        }
    }

    /// Counts again and again how the nodes' canaries are; never ends.
    pub(crate) async fn count_canaries(self) {
        let mut due = tokio::time::interval(COUNT_EVERY);
        loop {
            due.tick().await;
            #[expect(
                clippy::disallowed_methods,
                reason = "a canary is overdue by this clock"
            )]
            let now = SystemTime::now();
            let known = self.lock();
            let nodes = known.values().map(|known| &known.node);
            self.metrics.count(nodes.map(|node| Canary::of(node, now)));
        }
    }

    /// The stream that said hello speaks for its node from now on, and no other one.
    pub(crate) fn connect(
        &self,
        hello: &v1::Hello,
        now: SystemTime,
    ) -> Result<Connected, TooManyNodes> {
        let mut known = self.lock();
        if known.len() >= MOST && !known.contains_key(&hello.node) {
            return Err(TooManyNodes {
                node: hello.node.clone(),
            });
        }
        let before = known.remove(&hello.node);
        let stream = before.as_ref().map_or(0, |before| before.stream) + 1;
        if before.as_ref().is_none_or(|before| !before.node.connected) {
            self.metrics.connected.inc();
        }
        let status = before.and_then(|before| {
            before.replaced.cancel();
            before.node.status
        });
        self.changes.fetch_add(1, Ordering::Relaxed);
        let replaced = CancellationToken::new();
        let (relay, told) = Relay::new();
        known.insert(
            hello.node.clone(),
            Known {
                node: v1::Node {
                    name: hello.node.clone(),
                    connected: true,
                    last_seen: Some(now.into()),
                    agent_version: hello.version.clone(),
                    status,
                    clock_ahead: None,
                },
                replaced: replaced.clone(),
                stream,
                relay,
            },
        );
        Ok(Connected {
            nodes: self.clone(),
            name: hello.node.clone(),
            stream,
            replaced,
            commands: Some(told),
        })
    }

    /// Hands a command to the agent of the node.
    pub(crate) fn relay(
        &self,
        node: &str,
        id: &str,
        command: v1::SignedCommand,
    ) -> Result<oneshot::Receiver<v1::CommandOutcome>, RelayError> {
        let mut known = self.lock();
        let known = known.get_mut(node).filter(|known| known.node.connected);
        let away = || RelayError::Away { node: node.into() };
        known.ok_or_else(away)?.relay.send(node, id, command)
    }

    /// Nobody waits for what becomes of the command any more.
    pub(crate) fn forget(&self, node: &str, id: &str) {
        if let Some(known) = self.lock().get_mut(node) {
            known.relay.forget(id);
        }
    }

    /// What is contained, as the agents of all nodes say.
    pub(crate) fn containments(&self) -> Vec<v1::Containment> {
        let known = self.lock();
        let statuses = known.values().filter_map(|known| {
            let status = known.node.status.as_ref()?;
            Some((&known.node.name, status))
        });
        let named = statuses.flat_map(|(node, status)| {
            let containments = status.containments.iter().cloned();
            containments.map(|it| v1::Containment {
                node: node.clone(),
                ..it
            })
        });
        named.collect()
    }

    /// Uids of the pods that are watched, as the agents of all nodes say.
    pub(crate) fn covered(&self) -> std::collections::BTreeSet<String> {
        let known = self.lock();
        let statuses = known.values().filter_map(|it| it.node.status.as_ref());
        let pods = statuses.flat_map(|it| &it.pods);
        let covered = pods.filter(|it| it.state() == v1::CoverageState::Covered);
        covered.map(|it| it.uid.clone()).collect()
    }

    /// How often the policy's exceptions applied, as the agents of all nodes say.
    pub(crate) fn hits(&self) -> BTreeMap<String, u64> {
        let mut hits = BTreeMap::new();
        for known in self.lock().values() {
            let status = known.node.status.as_ref();
            let policy = status.and_then(|it| it.policy.as_ref());
            for it in policy.into_iter().flat_map(|it| &it.exceptions) {
                *hits.entry(it.name.clone()).or_default() += it.hits;
            }
        }
        hits
    }

    /// Counts up as something about nodes changes.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Who talked to whom, as the agents of all nodes say.
    pub(crate) fn edges(&self) -> Vec<v1::SlotEdges> {
        let known = self.lock();
        let statuses = known.values().filter_map(|it| it.node.status.as_ref());
        statuses.flat_map(|it| it.edges.iter().cloned()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right of one stream to speak for its node. Dropping it disconnects the node.
#[derive(Debug)]
pub(crate) struct Connected {
    nodes: Nodes,
    name: String,
    stream: u64,
    replaced: CancellationToken,
    commands: Option<mpsc::Receiver<v1::SignedCommand>>,
}

impl Connected {
    /// Cancelled when another stream took over.
    pub(crate) const fn replaced(&self) -> &CancellationToken {
        &self.replaced
    }

    /// What people command the agent; none, when it was taken before.
    pub(crate) fn take_commands(&mut self) -> mpsc::Receiver<v1::SignedCommand> {
        self.commands.take().unwrap_or_else(|| mpsc::channel(1).1)
    }

    /// What became of a command.
    pub(crate) fn outcome(&self, outcome: v1::CommandOutcome) {
        let mut known = self.nodes.lock();
        let known = known.get_mut(&self.name);
        let Some(known) = known.filter(|known| known.stream == self.stream) else {
            return;
        };
        tracing::info!(
            node = self.name,
            id = outcome.id,
            obeyed = outcome.obeyed,
            reason = outcome.reason,
            "command"
        );
        known.relay.outcome(outcome);
    }

    /// The agent said something.
    pub(crate) fn seen(&self, now: SystemTime) {
        self.update(|node| node.last_seen = Some(now.into()));
    }

    /// The agent said how it is. What no agent says is not kept.
    pub(crate) fn status(&self, status: v1::NodeStatus, now: SystemTime) {
        let lists = [
            status.slots.len(),
            status.unwatched.len(),
            status.drops.len(),
            status.pods.len(),
            status.findings.len(),
            status.containments.len(),
            status.edges.len(),
        ];
        if lists.iter().any(|length| *length > LISTED) || encoding::size(&status) > STATUS_BYTES {
            self.nodes.metrics.refused.inc();
            return;
        }
        self.update(|node| {
            node.clock_ahead = status.at.and_then(|at| ahead(at, now));
            let before = node.status.replace(status);
            // They are sent now and then.
            if let (Some(before), Some(now)) = (before, &mut node.status)
                && now.edges.is_empty()
            {
                now.edges = before.edges;
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut v1::Node)) {
        let mut known = self.nodes.lock();
        if let Some(known) = known.get_mut(&self.name)
            && known.stream == self.stream
        {
            change(&mut known.node);
            self.nodes.changes.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// By how much a clock that shows `at` is ahead of one that shows `now`.
fn ahead(at: v1::Timestamp, now: SystemTime) -> Option<v1::Duration> {
    let at = SystemTime::try_from(at).ok()?;
    match at.duration_since(now) {
        Ok(ahead) => v1::Duration::try_from(ahead).ok(),
        Err(behind) => {
            let behind = v1::Duration::try_from(behind.duration()).ok()?;
            Some(v1::Duration {
                seconds: -behind.seconds,
                nanos: -behind.nanos,
            })
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        self.update(|node| {
            node.connected = false;
            self.nodes.metrics.connected.dec();
        });
    }
}

#[tonic::async_trait]
impl nodes_server::Nodes for Nodes {
    async fn list(
        &self,
        request: Request<v1::ListNodesRequest>,
    ) -> Result<Response<v1::ListNodesResponse>, Status> {
        access::scope(&request)?.see_nodes()?;
        let known = self.lock();
        let nodes = known.values().map(|known| without_edges(&known.node));
        Ok(Response::new(v1::ListNodesResponse {
            nodes: nodes.collect(),
            policy: self.policy.borrow().clone(),
        }))
    }
}

/// Those of all nodes would be more than anybody asks for here: `Actions.Describe` tells them of one pod.
fn without_edges(node: &v1::Node) -> v1::Node {
    let mut node = node.clone();
    if let Some(status) = &mut node.status {
        status.edges.clear();
    }
    node
}

#[cfg(test)]
mod tests {
    use prometheus_client::registry::Registry;

    use super::*;

    fn hello(node: &str) -> v1::Hello {
        v1::Hello {
            node: node.into(),
            epoch: 1,
            version: "0.1.0".into(),
        }
    }

    fn nodes() -> Nodes {
        Nodes::new(
            Metrics::new(&mut Registry::default()),
            watch::channel(None).1,
        )
    }

    fn now(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn connected(nodes: &Nodes) -> Vec<(String, bool)> {
        let known = nodes.lock();
        let nodes = known.values();
        nodes
            .map(|known| (known.node.name.clone(), known.node.connected))
            .collect()
    }

    #[test]
    fn a_node_stays_known_after_its_stream() {
        let nodes = nodes();
        let n2 = nodes.connect(&hello("n2"), now(1)).unwrap();
        let n1 = nodes.connect(&hello("n1"), now(2)).unwrap();
        assert_eq!(nodes.metrics.connected.get(), 2);
        drop(n2);
        assert_eq!(
            connected(&nodes),
            [("n1".into(), true), ("n2".into(), false)]
        );
        assert_eq!(nodes.metrics.connected.get(), 1);
        drop(n1);
    }

    #[test]
    fn a_newer_stream_takes_over_and_the_older_one_changes_nothing_more() {
        let nodes = nodes();
        let older = nodes.connect(&hello("n1"), now(1)).unwrap();
        older.status(
            v1::NodeStatus {
                events_pending: 7,
                ..Default::default()
            },
            now(1),
        );
        let newer = nodes.connect(&hello("n1"), now(2)).unwrap();
        assert!(older.replaced().is_cancelled());
        assert!(!newer.replaced().is_cancelled());
        older.seen(now(9));
        older.status(v1::NodeStatus::default(), now(9));
        drop(older);
        let node = nodes.lock()["n1"].node.clone();
        assert!(node.connected);
        assert_eq!(node.last_seen, Some(now(2).into()));
        assert_eq!(
            node.status.unwrap().events_pending,
            7,
            "kept until the next"
        );
    }

    #[test]
    fn names_without_end_are_refused() {
        let nodes = nodes();
        for index in 0..MOST {
            drop(nodes.connect(&hello(&format!("n{index}")), now(1)).unwrap());
        }
        let error = nodes.connect(&hello("more"), now(1)).unwrap_err();
        assert!(error.to_string().contains("`more`"), "{error}");
        nodes.connect(&hello("n7"), now(1)).unwrap();
    }
}
