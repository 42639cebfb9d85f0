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
    protocol::{COMMANDS, understood},
    v1::{self, nodes_server, publish_response::Item},
};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use self::{canary::Canary, relay::Relay};
pub(crate) use self::{metrics::Metrics, relay::RelayError};
use crate::{access, identity::Identity};

/// Nodes remembered; Kubernetes supports 5,000.
const MOST: usize = 10_000;

/// Of each kind in a status, at most; an agent has room for fewer slots.
const LISTED: usize = 4096;

/// Bytes of the id of a test.
const TEST_ID: usize = 64;

const COUNT_EVERY: Duration = Duration::from_secs(5);

/// Bytes of a status, encoded.
const STATUS_BYTES: usize = 512 * 1024;

/// No room for another node.
#[derive(Debug, thiserror::Error)]
#[error("cannot take node `{node}`: {MOST} nodes publish already; Picket is not made for more")]
pub(crate) struct TooManyNodes {
    node: String,
}

/// All nodes that publish, and those that did and may again. Clones share them.
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
    /// What it understands.
    protocol: u32,
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

    /// Counts again and again how the nodes' canaries are, and forgets nodes that are gone; never ends.
    pub(crate) async fn keep_account(self, identity: Arc<Identity>) {
        let mut due = tokio::time::interval(COUNT_EVERY);
        loop {
            due.tick().await;
            #[expect(
                clippy::disallowed_methods,
                reason = "a canary is overdue by this clock"
            )]
            let now = SystemTime::now();
            self.forget_gone(|node| identity.knows_node(node));
            let known = self.lock();
            let nodes = known.values().map(|known| &known.node);
            self.metrics.count(nodes.map(|node| Canary::of(node, now)));
        }
    }

    /// Forgets those that the cluster does not have any more, once their agents have left.
    fn forget_gone(&self, is_there: impl Fn(&str) -> bool) {
        self.lock().retain(|name, known| {
            let stays = known.node.connected || is_there(name);
            if !stays {
                tracing::info!(node = name, "the node is gone");
            }
            stays
        });
    }

    /// The stream that said hello speaks for its node from now on, and no other one.
    pub(crate) fn connect(
        &self,
        hello: &v1::Hello,
        now: SystemTime,
    ) -> Result<Connected, TooManyNodes> {
        let mut known = self.lock();
        if known.len() >= MOST && !known.contains_key(&hello.node) {
            // Which nodes there are may not be known, and names change: whoever left longest ago makes room.
            let away = known.iter().filter(|(_, known)| !known.node.connected);
            let longest = away.min_by_key(|(_, known)| last_seen(&known.node));
            let Some(name) = longest.map(|(name, _)| name.clone()) else {
                return Err(TooManyNodes {
                    node: hello.node.clone(),
                });
            };
            known.remove(&name);
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
                protocol: understood(hello.protocol),
            },
        );
        Ok(Connected {
            nodes: self.clone(),
            name: hello.node.clone(),
            stream,
            replaced,
            asked: Some(told),
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
        let known = known.ok_or_else(away)?;
        if known.protocol < COMMANDS {
            return Err(RelayError::Old {
                node: node.into(),
                version: known.node.agent_version.clone(),
            });
        }
        known.relay.send(node, id, command)
    }

    /// Asks the agents of all nodes to scan themselves; those that will.
    fn test(&self, id: &str) -> Result<Vec<String>, Status> {
        if !(1..=TEST_ID).contains(&id.len()) || !id.bytes().all(|it| it.is_ascii_alphanumeric()) {
            return Err(Status::invalid_argument(format!(
                "the id of a test takes 1 to {TEST_ID} letters and digits"
            )));
        }
        let known = self.lock();
        let connected = known.values().filter(|known| known.node.connected);
        let asked = connected.filter(|known| known.relay.test(id));
        Ok(asked.map(|known| known.node.name.clone()).collect())
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
    asked: Option<mpsc::Receiver<Item>>,
}

impl Connected {
    /// Cancelled when another stream took over.
    pub(crate) const fn replaced(&self) -> &CancellationToken {
        &self.replaced
    }

    /// What people ask of the agent; nothing, when it was taken before.
    pub(crate) fn take_asked(&mut self) -> mpsc::Receiver<Item> {
        self.asked.take().unwrap_or_else(|| mpsc::channel(1).1)
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

fn last_seen(node: &v1::Node) -> Option<(i64, i32)> {
    node.last_seen.map(|at| (at.seconds, at.nanos))
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
        let mut known = self.nodes.lock();
        let own = known.get_mut(&self.name);
        if let Some(own) = own.filter(|it| it.stream == self.stream) {
            // Whoever waits for the agent learns at once that it is gone.
            own.relay = Relay::new().0;
        }
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

    async fn test(
        &self,
        request: Request<v1::TestNodesRequest>,
    ) -> Result<Response<v1::TestNodesResponse>, Status> {
        access::scope(&request)?.see_nodes()?;
        let nodes = self.test(&request.into_inner().id)?;
        Ok(Response::new(v1::TestNodesResponse { nodes }))
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
mod tests;
