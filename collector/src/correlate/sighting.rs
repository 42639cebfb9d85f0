//! What correlation needs to know of an event.

use std::{
    collections::BTreeSet,
    hash::{DefaultHasher, Hash, Hasher as _},
    sync::Arc,
};

use api::{v1, workload};

use super::time::Time;

/// Longest names Kubernetes gives; what is longer names no pod.
const NAMESPACE: usize = 63;
const NAME: usize = 253;

/// Longest id of an anomaly that is kept: those of agents name a node, and are shorter.
const ANOMALY: usize = 512;

/// Things a pod that may be a client has tried, at most.
const THINGS: usize = 64;

/// An event that may be part of something larger.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub(super) state: v1::State,
    pub(super) at: Time,
    pub(super) first_seen: Time,
    pub(super) last_seen: Time,
    pub(super) anomaly: Arc<str>,
    /// None when it is the target that tells.
    pub(super) source: Option<Arc<Source>>,
    pub(super) targets: Vec<Reached>,
    pub(super) client: Option<Client>,
}

/// A pod that scans, or seems to.
#[derive(Debug, Eq, PartialEq)]
pub(super) struct Source {
    /// Namespace and name, or address, or node and interface.
    pub(super) name: Arc<str>,
    pub(super) node: Arc<str>,
    /// Namespace and workload.
    pub(super) workload: Option<(Arc<str>, Arc<str>)>,
}

/// A target that has a name or an address.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Reached {
    /// Namespace and name, or address.
    pub(super) name: Arc<str>,
    pub(super) target: v1::Target,
}

/// What says that the source may be a client of something that is down.
#[derive(Clone, Debug)]
pub(super) struct Client {
    /// What it tried: hashes of address and port.
    pub(super) things: Arc<[u64]>,
    /// All of it is of this one address, pod or workload.
    pub(super) dependency: Option<Reached>,
}

impl Sighting {
    /// Ports that a client fails on, at most: as many as an event names.
    pub(super) const FEW: u32 = 16;

    /// None of an event that nothing is correlated from: of other detectors, of one that is tried out, or of one
    /// that is hardly worth a look.
    pub(crate) fn of(event: &v1::Event) -> Option<Self> {
        let sweep = match event.detector.as_str() {
            "port_scan" | "port_scan_target" => false,
            "ip_sweep" => true,
            _ => return None,
        };
        let of_weight = event.severity >= v1::Severity::Medium.into() && !event.shadow;
        if !of_weight || event.anomaly_id.len() > ANOMALY {
            return None;
        }
        let id = event.id.as_ref()?;
        Some(Self {
            state: event.state(),
            at: event.raised_at?.into(),
            first_seen: event.first_seen?.into(),
            last_seen: event.last_seen?.into(),
            anomaly: event.anomaly_id.as_str().into(),
            source: event
                .source
                .as_ref()
                .and_then(|endpoint| source(endpoint, &id.node))
                .map(Arc::new),
            targets: event.targets.iter().filter_map(reached).collect(),
            client: client(event, sweep),
        })
    }
}

/// What a person and a key call a pod, a workload or an address.
pub(super) fn name(endpoint: &v1::Endpoint) -> Option<Arc<str>> {
    let v1::Endpoint {
        namespace,
        pod,
        workload,
        address,
        ..
    } = endpoint;
    let named = if pod.is_empty() { workload } else { pod };
    let fits = namespace.len() <= NAMESPACE && (1..=NAME).contains(&named.len());
    if fits {
        return Some(format!("{namespace}/{named}").into());
    }
    (!address.is_empty() && address.len() <= NAME).then(|| address.as_str().into())
}

/// Tells names apart where there is no room for them.
pub(super) fn hash(name: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    hasher.finish()
}

fn source(endpoint: &v1::Endpoint, node: &str) -> Option<Source> {
    let interface = &endpoint.interface;
    let behind = || {
        let told = (1..=NAME).contains(&interface.len());
        told.then(|| format!("{node}/{interface}").into())
    };
    Some(Source {
        name: name(endpoint).or_else(behind)?,
        node: node.into(),
        workload: workload_of(endpoint),
    })
}

fn workload_of(endpoint: &v1::Endpoint) -> Option<(Arc<str>, Arc<str>)> {
    let v1::Endpoint {
        namespace,
        pod,
        owner,
        ..
    } = endpoint;
    let workload = workload::of(owner.as_ref(), pod);
    let named = namespace.len() <= NAMESPACE
        && (1..=NAME).contains(&pod.len())
        && (1..=NAME).contains(&workload.len());
    named.then(|| (namespace.as_str().into(), workload.into()))
}

fn reached(target: &v1::Target) -> Option<Reached> {
    let endpoint = target.endpoint.as_ref()?;
    let name = name(endpoint)?;
    // Only what was checked to be short is kept.
    let named = name.contains('/');
    let kept = |text: &String| if named { text.clone() } else { String::new() };
    let endpoint = v1::Endpoint {
        namespace: kept(&endpoint.namespace),
        pod: kept(&endpoint.pod),
        workload: kept(&endpoint.workload),
        address: endpoint.address.clone(),
        ..Default::default()
    };
    Some(Reached {
        name,
        target: v1::Target {
            endpoint: Some(endpoint),
            ..target.clone()
        },
    })
}

fn client(event: &v1::Event, sweep: bool) -> Option<Client> {
    let connects = event.technique() == v1::Technique::TcpConnect;
    if !connects || event.targets.iter().any(|it| it.answered_ports > 0) {
        return None;
    }
    let mut things = BTreeSet::new();
    for target in &event.targets {
        let address = &target.endpoint.as_ref()?.address;
        things.extend(target.sample_ports.iter().map(|port| hash((address, port))));
    }
    if things.is_empty() || things.len() > THINGS {
        return None;
    }
    let dependency = match &event.targets[..] {
        [one] if event.further_targets == 0 => {
            let named = u32::try_from(one.sample_ports.len()).unwrap_or(u32::MAX);
            if one.failed_ports > Sighting::FEW || one.failed_ports != named {
                return None;
            }
            reached(one)
        }
        // From a hundred pairs of host and port on it is high.
        many if sweep && event.severity < v1::Severity::High.into() => common_workload(many),
        _ => return None,
    };
    Some(Client {
        things: things.into_iter().collect(),
        dependency,
    })
}

/// The workload that all targets are pods of.
fn common_workload(targets: &[v1::Target]) -> Option<Reached> {
    let mut workloads = targets
        .iter()
        .map(|target| workload_of(target.endpoint.as_ref()?));
    let first = workloads.next()??;
    if !workloads.all(|workload| workload.as_ref() == Some(&first)) {
        return None;
    }
    let ports: BTreeSet<_> = targets.iter().flat_map(|it| &it.sample_ports).collect();
    reached(&v1::Target {
        endpoint: Some(v1::Endpoint {
            namespace: first.0.as_ref().into(),
            workload: first.1.as_ref().into(),
            ..Default::default()
        }),
        failed_ports: u32::try_from(ports.len()).unwrap_or(u32::MAX),
        sample_ports: ports.into_iter().copied().collect(),
        ..Default::default()
    })
}
