//! The watch of the API server: what it tells goes into the tables, whatever happens to the connection.

use std::{
    collections::BTreeSet,
    fmt::{self, Debug},
    path::PathBuf,
    sync::Arc,
    time::SystemTime,
};

use futures_util::StreamExt as _;
use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    batch::v1::Job,
    core::v1::{Node, Pod, Service},
    discovery::v1::EndpointSlice,
};
use kube::{
    Api, Client, Config, Resource,
    config::{KubeConfigOptions, Kubeconfig},
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use serde::de::DeserializeOwned;

use super::{Identity, convert, metrics::Watch, services};

/// Where the API server is.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Cluster {
    /// The one of this pod.
    Own,
    /// The one that this file names.
    Kubeconfig(PathBuf),
}

/// Why it cannot be found.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// This is no pod.
    #[error(
        "nothing says where the API server is: outside of a pod, give --kubeconfig FILE instead of --kubernetes"
    )]
    NoPod(#[source] kube::config::InClusterError),
    /// The file cannot be used.
    #[error("cannot use the kubeconfig {}: correct the file, or give another one with --kubeconfig", path.display())]
    Kubeconfig {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Box<kube::config::KubeconfigError>,
    },
    /// What is given cannot be used.
    #[error(
        "cannot make a client of the API server of it: correct the certificates and the token there"
    )]
    Client(#[source] Box<kube::Error>),
}

impl Cluster {
    /// A client that has not connected yet.
    pub(crate) async fn client(&self) -> Result<Client, ClusterError> {
        let config = match self {
            Self::Own => Config::incluster().map_err(ClusterError::NoPod)?,
            Self::Kubeconfig(path) => {
                let wrong = |source| ClusterError::Kubeconfig {
                    path: path.clone(),
                    source: Box::new(source),
                };
                let file = Kubeconfig::read_from(path).map_err(wrong)?;
                let options = KubeConfigOptions::default();
                Config::from_custom_kubeconfig(file, &options)
                    .await
                    .map_err(wrong)?
            }
        };
        Client::try_from(config).map_err(|error| ClusterError::Client(Box::new(error)))
    }
}

/// The watches of one cluster.
pub(crate) struct Watches {
    pub(crate) identity: Arc<Identity>,
    pub(crate) client: Client,
}

impl Debug for Watches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watches").finish_non_exhaustive()
    }
}

impl Watches {
    /// Watches until dropped.
    pub(crate) async fn run(self) {
        let Self { identity, client } = self;
        let config = watcher::Config::default;
        let pods = Api::<Pod>::all(client.clone());
        let nodes = Api::<Node>::all(client.clone());
        let services = Api::<Service>::all(client.clone());
        let slices = Api::<EndpointSlice>::all(client.clone());
        let sets = Api::<PartialObjectMeta<ReplicaSet>>::all(client.clone());
        let jobs = Api::<PartialObjectMeta<Job>>::all(client);
        let (pods, nodes) = (watcher(pods, config()), watcher(nodes, config()));
        let (services, slices) = (watcher(services, config()), watcher(slices, config()));
        let (sets, jobs) = (watcher(sets, config()), watcher(jobs, config()));
        let of_services = Keys::new(Identity::service, Identity::keep_services);
        let of_slices = Keys::new(Identity::slice, Identity::keep_slices);
        tokio::join!(
            follow(&identity, "pods", pods, Pods::default()),
            follow(&identity, "nodes", nodes, Nodes::default()),
            follow(&identity, "services", services, of_services),
            follow(&identity, "endpointslices", slices, of_slices),
            follow(&identity, "replicasets", sets, Makers),
            follow(&identity, "jobs", jobs, Makers),
        );
    }
}

/// Takes in what is told of one resource.
trait Taken<K> {
    fn begin(&mut self) {}
    fn take(&mut self, identity: &Identity, object: K, now: SystemTime);
    fn remove(&mut self, identity: &Identity, object: K, now: SystemTime);
    /// All that there is was told since [`Taken::begin`].
    fn finish(&mut self, _identity: &Identity, _now: SystemTime) {}
}

#[expect(clippy::disallowed_methods, reason = "the watch owns this clock")]
async fn follow<K: Debug + Send>(
    identity: &Identity,
    resource: &'static str,
    events: impl futures_util::Stream<Item = watcher::Result<Event<K>>> + Send,
    mut taken: impl Taken<K>,
) {
    let metrics = identity.watched(Watch { resource });
    let mut events = std::pin::pin!(events.default_backoff());
    let mut failing = false;
    while let Some(event) = events.next().await {
        let now = SystemTime::now();
        match event {
            Ok(Event::Init) => {
                metrics.synchronized.set(0);
                taken.begin();
            }
            Ok(Event::InitApply(object)) => taken.take(identity, object, now),
            Ok(Event::InitDone) => {
                taken.finish(identity, now);
                metrics.synchronized.set(1);
                identity.synchronized(resource);
                if std::mem::take(&mut failing) {
                    tracing::info!(resource, "the API server tells again");
                }
            }
            Ok(Event::Apply(object)) => taken.take(identity, object, now),
            Ok(Event::Delete(object)) => taken.remove(identity, object, now),
            Err(error) => {
                metrics.failures.inc();
                if is_unknown(&error) {
                    // An older API server: nothing waits for what it does not have.
                    identity.synchronized(resource);
                }
                if !std::mem::replace(&mut failing, true) {
                    tracing::warn!(
                        resource,
                        error = &error as &dyn std::error::Error,
                        "the API server does not tell; what is known stays, and it is asked again"
                    );
                }
            }
        }
    }
}

/// Whether the API server has no such resource.
fn is_unknown(error: &watcher::Error) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == 404,
        _ => false,
    }
}

#[derive(Default)]
struct Pods {
    seen: BTreeSet<String>,
}

impl Taken<Pod> for Pods {
    fn begin(&mut self) {
        self.seen.clear();
    }

    fn take(&mut self, identity: &Identity, pod: Pod, now: SystemTime) {
        self.seen.extend(pod.metadata.uid.clone());
        if let Some(told) = convert::pod(&pod) {
            identity.pod(told, convert::maker(&pod.metadata), now);
        }
    }

    fn remove(&mut self, identity: &Identity, pod: Pod, now: SystemTime) {
        if let Some(told) = convert::pod(&pod) {
            let told = convert::deleted(told, now);
            identity.pod(told, convert::maker(&pod.metadata), now);
        }
    }

    fn finish(&mut self, identity: &Identity, now: SystemTime) {
        identity.keep_pods(&self.seen, now);
        self.seen.clear();
    }
}

#[derive(Default)]
struct Nodes {
    seen: BTreeSet<String>,
}

impl Taken<Node> for Nodes {
    fn begin(&mut self) {
        self.seen.clear();
    }

    fn take(&mut self, identity: &Identity, node: Node, _: SystemTime) {
        self.seen.extend(node.metadata.name.clone());
        identity.node(&node, false);
    }

    fn remove(&mut self, identity: &Identity, node: Node, _: SystemTime) {
        identity.node(&node, true);
    }

    fn finish(&mut self, identity: &Identity, _: SystemTime) {
        identity.keep_nodes(&self.seen);
    }
}

/// What is known by namespace and name.
struct Keys<K> {
    seen: BTreeSet<services::Key>,
    take: fn(&Identity, &K, bool),
    keep: fn(&Identity, &BTreeSet<services::Key>),
}

impl<K> Keys<K> {
    const fn new(
        take: fn(&Identity, &K, bool),
        keep: fn(&Identity, &BTreeSet<services::Key>),
    ) -> Self {
        Self {
            seen: BTreeSet::new(),
            take,
            keep,
        }
    }
}

impl<K: Resource + DeserializeOwned> Taken<K> for Keys<K> {
    fn begin(&mut self) {
        self.seen.clear();
    }

    fn take(&mut self, identity: &Identity, object: K, _: SystemTime) {
        self.seen.insert(services::key(&object));
        (self.take)(identity, &object, false);
    }

    fn remove(&mut self, identity: &Identity, object: K, _: SystemTime) {
        (self.take)(identity, &object, true);
    }

    fn finish(&mut self, identity: &Identity, _: SystemTime) {
        (self.keep)(identity, &self.seen);
        self.seen.clear();
    }
}

/// What makes pods, and is made by others.
struct Makers;

impl<K> Taken<PartialObjectMeta<K>> for Makers {
    fn take(&mut self, identity: &Identity, object: PartialObjectMeta<K>, _: SystemTime) {
        if let (Some(uid), Some(maker)) = (&object.metadata.uid, convert::maker(&object.metadata)) {
            identity.made(uid, Some(maker.owner));
        }
    }

    fn remove(&mut self, identity: &Identity, object: PartialObjectMeta<K>, _: SystemTime) {
        if let Some(uid) = &object.metadata.uid {
            identity.made(uid, None);
        }
    }
}
