//! The watch of the API server: what it tells goes into the tables, whatever happens to the connection.

mod taken;

use std::{
    collections::BTreeSet,
    fmt::{self, Debug},
    path::PathBuf,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures_util::StreamExt as _;
use k8s_openapi::api::{
    apps::v1::ReplicaSet,
    batch::v1::Job,
    core::v1::{Node, Pod, Service},
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

use self::taken::{Keyed, Makers, Nodes, Pods, Taken};
use super::{
    Identity, Watched,
    metrics::Watch,
    slice::{self, Slice},
};

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
        let watch = |resource| Following {
            identity: &identity,
            resource,
            metrics: identity.watched(Watch { resource }),
            failing: false,
        };
        let of_services = Keyed::new(Identity::service, Identity::keep_services);
        let of_slices = Keyed::new(Identity::slice, Identity::keep_slices);
        let slices = slice::VERSIONS.map(|version| {
            let resource = slice::resource(version);
            Api::<Slice>::all_with(client.clone(), &resource)
        });
        tokio::join!(
            watch("pods").follow([all::<Pod>(&client)], Pods),
            watch("nodes").follow([all::<Node>(&client)], Nodes),
            watch("services").follow([all::<Service>(&client)], of_services),
            watch("endpointslices").follow(slices, of_slices),
            watch("replicasets").follow(
                [all::<PartialObjectMeta<ReplicaSet>>(&client)],
                Makers("replicasets")
            ),
            watch("jobs").follow([all::<PartialObjectMeta<Job>>(&client)], Makers("jobs")),
        );
    }
}

fn all<K: Resource<DynamicType = ()>>(client: &Client) -> Api<K> {
    Api::all(client.clone())
}

/// One of the watches.
struct Following<'a> {
    identity: &'a Identity,
    resource: &'static str,
    metrics: Watched,
    failing: bool,
}

impl Following<'_> {
    /// Watches for ever, by whichever version of the resource the API server has.
    async fn follow<K, T, const N: usize>(mut self, versions: [Api<K>; N], taken: T)
    where
        K: Resource + Clone + Debug + DeserializeOwned + Send + 'static,
        T: Taken<K>,
    {
        let mut listed = BTreeSet::new();
        let (mut version, mut unserved) = (0, 0);
        loop {
            let api = versions[version % N].clone();
            let mut events = pin!(watcher(api, watcher::Config::default()).default_backoff());
            while let Some(event) = events.next().await {
                match event {
                    Ok(event) => {
                        if !matches!(event, Event::Init) {
                            unserved = 0;
                        }
                        self.take(event, &mut listed, &taken);
                    }
                    Err(error) if is_answered(&error, NOT_FOUND) => {
                        version += 1;
                        unserved += 1;
                        if unserved >= N {
                            self.fail(&error);
                            // An API server of another age: nothing waits for what it does not have.
                            self.identity.synchronized(self.resource);
                            sleep(AFRESH).await;
                        }
                        break;
                    }
                    Err(error) => {
                        self.fail(&error);
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

    #[expect(clippy::disallowed_methods, reason = "the watch owns this clock")]
    fn take<K, T: Taken<K>>(&mut self, event: Event<K>, listed: &mut BTreeSet<T::Key>, taken: &T) {
        let (identity, now) = (self.identity, SystemTime::now());
        match event {
            Event::Init => {
                self.metrics.synchronized.set(0);
                listed.clear();
            }
            Event::InitApply(object) => {
                listed.extend(taken.key(&object));
                taken.take(identity, object, now);
            }
            Event::InitDone => {
                taken.keep(identity, &std::mem::take(listed), now);
                self.metrics.synchronized.set(1);
                identity.synchronized(self.resource);
                if std::mem::take(&mut self.failing) {
                    tracing::info!(resource = self.resource, "the API server tells again");
                }
            }
            Event::Apply(object) => taken.take(identity, object, now),
            Event::Delete(object) => taken.remove(identity, object, now),
        }
    }

    fn fail(&mut self, error: &watcher::Error) {
        self.metrics.failures.inc();
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
