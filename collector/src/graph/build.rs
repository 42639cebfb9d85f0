//! Puts a graph together from pods, edges and anomalies, and leaves out what is too much.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use api::{pods, v1};

use super::{heat::Heat, who::Who};
use crate::{anomalies::Ends, identity::Identity};

/// Of one answer.
const VERTICES: usize = 5_000;
const LINKS: usize = 10_000;
const PORTS: usize = 16;
/// Ports of one link that are counted.
const COUNTED: usize = 4096;
/// Outside of the cluster, of which anybody may make as many as there are addresses.
const COLLECTED: usize = 50_000;

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) detail: v1::Detail,
    /// What the caller may see; none stands for all.
    pub(super) seen: Option<Vec<String>>,
    /// What is wanted; none stands for all.
    pub(super) chosen: Option<Vec<String>>,
}

/// A graph that is being made.
#[derive(Debug)]
pub(super) struct Builder<'a> {
    asked: &'a Asked,
    identity: &'a Identity,
    vertices: BTreeMap<Who, Vertex>,
    links: BTreeMap<(Who, Who), Link>,
    /// By address, so that each is asked for once.
    named: HashMap<String, v1::Endpoint>,
    left_out: (u32, u32),
}

#[derive(Debug, Default)]
struct Vertex {
    pods: u32,
    covered: u32,
    contained: u32,
    source_of: Heat,
    target_of: Heat,
}

#[derive(Debug, Default)]
struct Link {
    ports: BTreeMap<(i32, u32), LinkPort>,
    seen: Option<(i64, i32)>,
    heat: Heat,
}

#[derive(Debug, Default)]
struct LinkPort {
    service: String,
    declared: bool,
}

impl<'a> Builder<'a> {
    pub(super) fn new(asked: &'a Asked, identity: &'a Identity) -> Self {
        Self {
            asked,
            identity,
            vertices: BTreeMap::new(),
            links: BTreeMap::new(),
            named: HashMap::new(),
            left_out: (0, 0),
        }
    }

    /// Takes in the pods that live, and the uids of those that are watched.
    pub(super) fn pods(&mut self, pods: Vec<v1::Pod>, covered: &BTreeSet<String>) {
        for pod in pods {
            if self.wants(&pod.namespace) {
                let who = Who::of_pod(&pod, self.asked.detail);
                let vertex = self.vertices.entry(who).or_default();
                vertex.pods += 1;
                vertex.covered += u32::from(covered.contains(&pod.uid));
            }
        }
    }

    pub(super) fn contained(&mut self, containments: &[v1::Containment]) {
        for contained in containments {
            if !self.wants(&contained.namespace) {
                continue;
            }
            let v1::Containment {
                namespace,
                pod,
                uid,
                ..
            } = contained;
            let own = self.pod(namespace, pod, uid);
            let who = Who::of(&own, self.asked.detail);
            self.vertices.entry(who).or_default().contained += 1;
        }
    }

    /// Takes in who talked to whom.
    pub(super) fn edges(&mut self, seen: &[v1::SlotEdges]) {
        let detail = self.asked.detail;
        for of_pod in seen {
            let own = self.pod(&of_pod.namespace, &of_pod.pod, &of_pod.uid);
            let own_who = Who::of(&own, detail);
            for edge in &of_pod.edges {
                let other = self.name(&edge.address);
                let namespaces = [&own.namespace, &other.namespace];
                if !namespaces.into_iter().any(|it| self.wants(it)) {
                    continue;
                }
                let other_who = Who::of(&other, detail);
                let declared = self.declared(if edge.outbound { &other } else { &own }, edge);
                let (source, destination) = match edge.outbound {
                    true => (own_who.clone(), other_who),
                    false => (other_who, own_who.clone()),
                };
                if let Some(link) = self.link(source, destination) {
                    link.take_in(edge, declared);
                }
            }
        }
    }

    /// Takes in anomalies that the caller may see, the worst first.
    pub(super) fn burn(&mut self, burning: Vec<(String, v1::Severity, Ends)>) {
        let detail = self.asked.detail;
        for (id, severity, ends) in burning {
            let source = ends.source.as_ref();
            let targets = ends.targets.iter();
            let wanted = source
                .into_iter()
                .chain(targets.clone())
                .any(|it| self.wants(&it.namespace));
            if !wanted {
                continue;
            }
            let source = source.map(|it| Who::of(it, detail));
            if let Some(source) = &source {
                let vertex = self.vertices.entry(source.clone()).or_default();
                vertex.source_of.add(&id, severity);
            }
            for target in targets {
                let target = Who::of(target, detail);
                let vertex = self.vertices.entry(target.clone()).or_default();
                vertex.target_of.add(&id, severity);
                if let Some(source) = &source
                    && let Some(link) = self.link(source.clone(), target)
                {
                    link.heat.add(&id, severity);
                }
            }
        }
    }

    /// The graph, but for what is too much.
    pub(super) fn end(mut self) -> v1::GetGraphResponse {
        let mut vertices: Vec<_> = std::mem::take(&mut self.vertices).into_iter().collect();
        if vertices.len() > VERTICES {
            // Those where it burns first, and then those with the most pods.
            vertices.sort_by_key(|(who, it)| {
                let burns = it.source_of.burns() || it.target_of.burns();
                (std::cmp::Reverse((burns, it.pods)), who.clone())
            });
            self.left_out.0 += count(vertices.len() - VERTICES);
            vertices.truncate(VERTICES);
        }
        let kept: BTreeSet<_> = vertices.iter().map(|(who, _)| who.clone()).collect();
        let all = self.links.len();
        let mut links: Vec<_> = self.links.into_iter().collect();
        links.retain(|((source, destination), _)| {
            kept.contains(source) && kept.contains(destination)
        });
        if links.len() > LINKS {
            links.sort_by_key(|(_, it)| std::cmp::Reverse((it.heat.burns(), it.seen)));
            links.truncate(LINKS);
        }
        self.left_out.1 += count(all - links.len());
        let mut response = v1::GetGraphResponse {
            vertices: vertices
                .into_iter()
                .map(|(who, it)| it.told(&who))
                .collect(),
            links: links
                .into_iter()
                .map(|((from, to), it)| it.told(&from, &to))
                .collect(),
            left_out_vertices: self.left_out.0,
            left_out_links: self.left_out.1,
            cursor: 0,
        };
        response.vertices.sort_by(|a, b| a.id.cmp(&b.id));
        let ends = |it: &v1::Link| (it.source.clone(), it.destination.clone());
        response.links.sort_by_cached_key(ends);
        response
    }

    fn wants(&self, namespace: &str) -> bool {
        let chosen = self.asked.chosen.as_ref();
        chosen.is_none_or(|chosen| chosen.iter().any(|it| it == namespace))
    }

    fn pod(&self, namespace: &str, name: &str, uid: &str) -> v1::Endpoint {
        v1::Endpoint {
            namespace: namespace.to_owned(),
            pod: name.to_owned(),
            owner: self.identity.owner(namespace, name, uid),
            ..v1::Endpoint::default()
        }
    }

    fn name(&mut self, address: &str) -> v1::Endpoint {
        if let Some(known) = self.named.get(address) {
            return known.clone();
        }
        let endpoint = self.identity.who(address);
        if self.named.len() < COLLECTED {
            self.named.insert(address.to_owned(), endpoint.clone());
        }
        endpoint
    }

    /// The Service that declares the port at its own address, or that has the pod behind it.
    fn declared(&self, at: &v1::Endpoint, edge: &v1::Edge) -> LinkPort {
        let address = pods::address_of(&at.address);
        let service =
            address.and_then(|it| self.identity.declares(it, edge.transport(), edge.port));
        LinkPort {
            declared: service.is_some(),
            service: service.unwrap_or_default(),
        }
    }

    fn link(&mut self, source: Who, destination: Who) -> Option<&mut Link> {
        let key = (source, destination);
        let full = self.links.len() >= COLLECTED || self.vertices.len() >= COLLECTED;
        if full && !self.links.contains_key(&key) {
            self.left_out.1 = self.left_out.1.saturating_add(1);
            return None;
        }
        for end in [&key.0, &key.1] {
            if !self.vertices.contains_key(end) {
                self.vertices.insert(end.clone(), Vertex::default());
            }
        }
        Some(self.links.entry(key).or_default())
    }
}

impl Vertex {
    fn told(self, who: &Who) -> v1::Vertex {
        v1::Vertex {
            id: who.id(),
            kind: who.kind,
            namespace: who.namespace.clone(),
            name: who.name.clone(),
            owner_kind: who.owner_kind.clone(),
            pods: self.pods,
            covered_pods: self.covered,
            source_of: self.source_of.told(),
            target_of: self.target_of.told(),
            contained_pods: self.contained,
        }
    }
}

impl Link {
    fn take_in(&mut self, edge: &v1::Edge, port: LinkPort) {
        let key = (edge.transport, edge.port);
        if self.ports.len() < COUNTED || self.ports.contains_key(&key) {
            let known = self.ports.entry(key).or_default();
            known.declared |= port.declared;
            if known.service.is_empty() {
                known.service = port.service;
            }
        }
        let at = edge.last_seen.map(|it| (it.seconds, it.nanos));
        self.seen = self.seen.max(at);
    }

    fn told(self, source: &Who, destination: &Who) -> v1::Link {
        let further = self.ports.len().saturating_sub(PORTS);
        let ports = self.ports.into_iter().take(PORTS);
        v1::Link {
            source: source.id(),
            destination: destination.id(),
            ports: ports
                .map(|((transport, port), it)| v1::LinkPort {
                    transport,
                    port,
                    declared: it.declared,
                    service: it.service,
                })
                .collect(),
            further_ports: count(further),
            last_seen: self
                .seen
                .map(|(seconds, nanos)| v1::Timestamp { seconds, nanos }),
            burning: self.heat.told(),
        }
    }
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
