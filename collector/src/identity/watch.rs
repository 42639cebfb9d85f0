//! The watch of the API server: what it tells goes into the tables, whatever happens to the connection.

use std::{
    collections::BTreeSet,
    fmt::{self, Debug},
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::{Stream, StreamExt as _};
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
use tokio::time::sleep;

use super::{Identity, Watched, convert, metrics::Watch, services};

const NOT_FOUND: u16 = 404;
const GONE: u16 = 410;
/// Before all is listed anew.
const AFRESH: Duration = Duration::from_secs(1);

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
        let of_services = Keys::new(Identity::service, Identity::keep_services);
        let of_slices = Keys::new(Identity::slice, Identity::keep_slices);
        tokio::join!(
            follow(
                &identity,
                "pods",
                || watcher(pods.clone(), config()),
                Pods::default()
            ),
            follow(
                &identity,
                "nodes",
                || watcher(nodes.clone(), config()),
                Nodes::default()
            ),
            follow(
                &identity,
                "services",
                || watcher(services.clone(), config()),
                of_services
            ),
            follow(
                &identity,
                "endpointslices",
                || watcher(slices.clone(), config()),
                of_slices
            ),
            follow(
                &identity,
                "replicasets",
                || watcher(sets.clone(), config()),
                Makers
            ),
            follow(
                &identity,
                "jobs",
                || watcher(jobs.clone(), config()),
                Makers
            ),
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

async fn follow<K: Debug + Send, S>(
    identity: &Identity,
    resource: &'static str,
    watch: impl Fn() -> S,
    mut taken: impl Taken<K>,
) where
    S: Stream<Item = watcher::Result<Event<K>>> + Send,
{
    let mut state = Following {
        identity,
        resource,
        metrics: identity.watched(Watch { resource }),
        failing: false,
    };
    loop {
        let mut events = pin!(watch().default_backoff());
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => state.take(event, &mut taken),
                Err(error) => {
                    state.fail(&error);
                    if is_answered(&error, GONE) {
                        // Its watcher would ask for the same version again and again.
                        sleep(AFRESH).await;
                        break;
                    }
                }
            }
        }
    }
}

/// One of the watches.
struct Following<'a> {
    identity: &'a Identity,
    resource: &'static str,
    metrics: Watched,
    failing: bool,
}

impl Following<'_> {
    #[expect(clippy::disallowed_methods, reason = "the watch owns this clock")]
    fn take<K>(&mut self, event: Event<K>, taken: &mut impl Taken<K>) {
        let (identity, now) = (self.identity, SystemTime::now());
        match event {
            Event::Init => {
                self.metrics.synchronized.set(0);
                taken.begin();
            }
            Event::InitApply(object) | Event::Apply(object) => taken.take(identity, object, now),
            Event::InitDone => {
                taken.finish(identity, now);
                self.metrics.synchronized.set(1);
                identity.synchronized(self.resource);
                if std::mem::take(&mut self.failing) {
                    tracing::info!(resource = self.resource, "the API server tells again");
                }
            }
            Event::Delete(object) => taken.remove(identity, object, now),
        }
    }

    fn fail(&mut self, error: &watcher::Error) {
        self.metrics.failures.inc();
        if is_answered(error, NOT_FOUND) {
            // An older API server: nothing waits for what it does not have.
            self.identity.synchronized(self.resource);
        }
        if !std::mem::replace(&mut self.failing, true) {
            tracing::warn!(
                resource = self.resource,
                error = error as &dyn std::error::Error,
                "the API server does not tell; what is known stays, and it is asked again"
            );
        }
    }
}

/// Whether a request was answered with this code.
fn is_answered(error: &watcher::Error, code: u16) -> bool {
    match error {
        watcher::Error::InitialListFailed(kube::Error::Api(status))
        | watcher::Error::WatchStartFailed(kube::Error::Api(status)) => status.code == code,
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
