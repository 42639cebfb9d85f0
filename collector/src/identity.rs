//! Who has which address: the pods, nodes and Services of the cluster, and the names they give to events.

mod convert;
mod declared;
mod follow;
mod metrics;
mod nodes;
mod services;
mod slice;
mod table;
mod watch;

use std::{
    collections::BTreeSet,
    net::IpAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, SystemTime},
};

use api::{
    filter,
    pods::{Pods, address_of, describe, key},
    summary, v1,
};
use k8s_openapi::api::core::v1::{Node, Service};
use tokio::{sync::watch as channel, time::Instant};

pub use self::watch::{Cluster, ClusterError};
use self::{
    convert::Maker,
    metrics::Watch,
    nodes::Nodes,
    services::{Key, Services},
    slice::Slice,
    table::{News, Table},
};
pub(crate) use self::{follow::Followed, metrics::Metrics, watch::Watches};

/// How often what ended is looked for that may be forgotten.
const FORGET_EVERY: Duration = Duration::from_secs(5);

/// What is known of the cluster.
#[derive(Debug)]
pub(crate) struct Identity {
    known: RwLock<Known>,
    /// Counts up as Services change.
    services: channel::Sender<u64>,
    /// Whether pods are known as the API server has them, or an operator wrote them down.
    synchronized: channel::Sender<bool>,
    metrics: Metrics,
}

#[derive(Debug)]
struct Known {
    table: Table,
    services: Services,
    nodes: Nodes,
    awaited: BTreeSet<&'static str>,
    forgotten_at: SystemTime,
}

/// How one watch goes.
struct Watched {
    synchronized: prometheus_client::metrics::gauge::Gauge,
    failures: prometheus_client::metrics::counter::Counter,
}

impl Identity {
    /// What an operator wrote down, or nothing until a watch tells.
    pub(crate) fn new(pods: Pods, watched: bool, metrics: Metrics) -> Self {
        metrics.known.set(count(pods.len()));
        let awaited = match watched {
            true => BTreeSet::from(Watch::ALL),
            false => BTreeSet::new(),
        };
        Self {
            known: RwLock::new(Known {
                table: Table::new(pods),
                services: Services::default(),
                nodes: Nodes::default(),
                awaited,
                forgotten_at: SystemTime::UNIX_EPOCH,
            }),
            services: channel::Sender::new(0),
            synchronized: channel::Sender::new(!watched),
            metrics,
        }
    }

    /// Whether the node may publish.
    pub(crate) fn knows_node(&self, node: &str) -> bool {
        let known = self.read();
        match known.nodes.are_watched() {
            true => known.nodes.contains(node),
            false => known.table.pods().knows_node(node),
        }
    }

    /// What the agent of the node is to know, from now on.
    pub(crate) fn follow(self: Arc<Self>, node: &str, now: Instant) -> Followed {
        let revision = self.write().table.follow(node);
        let services = self.services.subscribe();
        let synchronized = self.synchronized.subscribe();
        Followed::new(self, node, revision, services, synchronized, now)
    }

    /// Names source and targets. What is unknown stays empty.
    pub(crate) fn complete(&self, event: &mut v1::Event) {
        let known = self.read();
        known.table.pods().complete(event);
        let at = event.last_seen.and_then(|it| SystemTime::try_from(it).ok());
        let targets = event.targets.iter_mut();
        let targets = targets.filter_map(|target| target.endpoint.as_mut());
        let mut news = false;
        for endpoint in event.source.iter_mut().chain(targets) {
            news |= known.name(endpoint, at);
        }
        drop(known);
        if news {
            event.summary = summary::summarize(event);
        }
        if filter::subject(event).is_some_and(is_unnamed_pod) {
            self.metrics.unnamed.inc();
        }
    }

    /// Names whoever has the endpoint's address, with labels.
    pub(crate) fn name(&self, endpoint: &mut v1::Endpoint) {
        let known = self.read();
        let pods = known.table.pods();
        let address = address_of(&endpoint.address);
        match address.and_then(|address| pods.by_address(address)) {
            Some(pod) => {
                endpoint.namespace.clone_from(&pod.namespace);
                endpoint.pod.clone_from(&pod.name);
                endpoint.labels.clone_from(&pod.labels);
            }
            None => {
                known.name(endpoint, None);
            }
        }
    }

    /// Who has the address, without labels.
    pub(crate) fn who(&self, address: &str) -> v1::Endpoint {
        let mut endpoint = v1::Endpoint {
            address: address.to_owned(),
            ..v1::Endpoint::default()
        };
        self.name(&mut endpoint);
        endpoint.labels.clear();
        if !endpoint.pod.is_empty() {
            let known = self.read();
            let pods = known.table.pods();
            let pod = address_of(address).and_then(|address| pods.by_address(address));
            endpoint.owner = pod.and_then(|pod| pod.owner.clone());
        }
        endpoint
    }

    /// The owner of a pod; one without a uid is known by its name.
    pub(crate) fn owner(&self, namespace: &str, name: &str, uid: &str) -> Option<v1::Owner> {
        let key = key(&v1::Pod {
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            uid: uid.to_owned(),
            ..v1::Pod::default()
        });
        self.read().table.pods().by_uid(&key)?.owner.clone()
    }

    /// Every pod that lives.
    pub(crate) fn living(&self) -> Vec<v1::Pod> {
        let known = self.read();
        let pods = known.table.pods().iter();
        pods.filter(|pod| pod.ended_at.is_none()).cloned().collect()
    }

    /// Namespace and name of the Service that declares the port at the address, which may be of a pod behind it.
    pub(crate) fn declares(
        &self,
        address: IpAddr,
        transport: v1::Transport,
        port: u32,
    ) -> Option<String> {
        let known = self.read();
        let (namespace, name) = known.services.declares(address, transport, port)?;
        Some(format!("{namespace}/{name}"))
    }

    /// The pod of this name that lives.
    pub(crate) fn pod_named(&self, namespace: &str, name: &str) -> Option<v1::Pod> {
        let known = self.read();
        let mut pods = known.table.pods().iter();
        let found = pods
            .find(|pod| pod.ended_at.is_none() && pod.namespace == namespace && pod.name == name);
        found.cloned()
    }

    fn news(&self, node: &str, seen: Option<u64>) -> (u64, News) {
        self.read().table.news(node, seen)
    }

    fn services(&self, seen: Option<u64>) -> (u64, services::News) {
        self.read().services.news(seen)
    }

    fn pod(&self, pod: v1::Pod, maker: Option<Maker>, now: SystemTime) {
        let mut known = self.write();
        if known.table.insert(pod, maker, now).is_err() {
            self.metrics.dropped.inc();
        }
        let age = now.duration_since(known.forgotten_at);
        if age.is_ok_and(|age| age > FORGET_EVERY) {
            known.forgotten_at = now;
            known.table.forget(now);
        }
        self.metrics.known.set(count(known.table.len()));
    }

    /// All pods but these are gone.
    fn keep_pods(&self, seen: &BTreeSet<String>, now: SystemTime) {
        let mut known = self.write();
        for uid in known.table.alive().difference(seen) {
            known.table.end(uid, now);
        }
    }

    fn made(&self, kind: &'static str, uid: &str, by: v1::Owner) {
        if self.write().table.made(kind, uid, by).is_err() {
            self.metrics.dropped.inc();
        }
    }

    fn forget_maker(&self, uid: &str) {
        self.write().table.forget_maker(uid);
    }

    fn keep_makers(&self, kind: &'static str, listed: &BTreeSet<String>) {
        self.write().table.keep_makers(kind, listed);
    }

    fn node(&self, node: &Node, gone: bool) {
        self.write().nodes.take(node, gone);
    }

    fn keep_nodes(&self, listed: &BTreeSet<String>) {
        self.write().nodes.keep(listed);
    }

    fn service(&self, service: &Service, gone: bool) {
        self.change_services(|services| services.service(service, gone));
    }

    fn keep_services(&self, kept: &BTreeSet<Key>) {
        self.change_services(|services| services.keep(kept));
    }

    fn slice(&self, slice: &Slice, gone: bool) {
        self.change_services(|services| services.slice(slice, gone));
    }

    fn keep_slices(&self, kept: &BTreeSet<Key>) {
        self.change_services(|services| services.keep_slices(kept));
    }

    fn change_services(&self, change: impl FnOnce(&mut Services)) {
        let mut known = self.write();
        change(&mut known.services);
        let dropped = std::mem::take(&mut known.services.dropped);
        self.metrics.dropped.inc_by(dropped);
        self.metrics.services.set(count(known.services.len()));
        let revision = known.services.revision();
        self.services.send_if_modified(|told| {
            let is_news = *told != revision;
            *told = revision;
            is_news
        });
    }

    /// One of the watches has told all that there is.
    fn synchronized(&self, resource: &'static str) {
        let mut known = self.write();
        if known.awaited.remove(resource) && known.awaited.is_empty() {
            tracing::info!(
                pods = known.table.len(),
                nodes = known.nodes.len(),
                "the cluster is known"
            );
            self.synchronized.send_replace(true);
        }
    }

    fn watched(&self, watch: Watch) -> Watched {
        Watched {
            synchronized: self.metrics.synchronized.get_or_create(&watch).clone(),
            failures: self.metrics.failures.get_or_create(&watch).clone(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Known {
    /// Names what is no pod with an address of its own; whether that is news.
    fn name(&self, endpoint: &mut v1::Endpoint, at: Option<SystemTime>) -> bool {
        if !endpoint.pod.is_empty() {
            if let Some(pod) = self.table.pods().by_uid(&endpoint.uid) {
                describe(endpoint, pod);
            }
            return false;
        }
        // Who cannot be told may be a pod, and is nobody else.
        let may_name =
            endpoint.unknown.is_empty() && endpoint.service.is_empty() && endpoint.node.is_empty();
        let Some(address) = address_of(&endpoint.address).filter(|_| may_name) else {
            return false;
        };
        // Nodes are behind Services, and may lend them their addresses.
        if let Some(node) = self.nodes.at(address, at) {
            endpoint.node.clone_from(node);
            return true;
        }
        // No Service has an interface, and what is behind one may be a node that is not known yet.
        let may_be_service = endpoint.interface.is_empty() && self.nodes.are_watched();
        let service = self.services.at(address, at).filter(|_| may_be_service);
        let Some((namespace, service)) = service else {
            return false;
        };
        endpoint.namespace.clone_from(namespace);
        endpoint.service.clone_from(service);
        true
    }
}

/// Whether it is a pod's interface, and nobody knows whose.
fn is_unnamed_pod(endpoint: &v1::Endpoint) -> bool {
    !endpoint.interface.is_empty() && endpoint.pod.is_empty() && endpoint.node.is_empty()
}

fn count(pods: usize) -> i64 {
    i64::try_from(pods).unwrap_or(i64::MAX)
}
