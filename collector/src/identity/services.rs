//! The Services of the cluster, and which addresses and ports they declare.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
};

use api::{pods::address_of, v1};
use k8s_openapi::api::{
    core::v1::{Service, ServicePort},
    discovery::v1::EndpointSlice,
};
use kube::ResourceExt as _;

/// Which slices are of which Service.
const OF_SERVICE: &str = "kubernetes.io/service-name";
/// Services in all.
const MOST: usize = 50_000;

/// By namespace and name.
pub(super) type Key = (String, String);

/// Services, by name and by address.
#[derive(Debug, Default)]
pub(super) struct Services {
    own: BTreeMap<Key, Vec<v1::Declared>>,
    by_address: HashMap<IpAddr, Key>,
    /// By the slice's own namespace and name: whose it is, and the addresses behind the Service.
    slices: HashMap<Key, (Key, Vec<IpAddr>)>,
    /// Slices that have the address.
    by_endpoint: HashMap<IpAddr, BTreeSet<Key>>,
    pub(super) dropped: u64,
}

impl Services {
    /// Takes in a Service, or that it is gone.
    pub(super) fn service(&mut self, service: &Service, gone: bool) {
        let key = key(service);
        for declared in self.own.remove(&key).unwrap_or_default() {
            if let Some(address) = address_of(&declared.address) {
                self.by_address.remove(&address);
            }
        }
        if gone {
            return;
        }
        if self.own.len() >= MOST {
            self.dropped += 1;
            return;
        }
        let declared = declared_by(service);
        for address in declared.iter().filter_map(|it| address_of(&it.address)) {
            self.by_address.insert(address, key.clone());
        }
        self.own.insert(key, declared);
    }

    /// Takes in some of a Service's endpoints, or that they are gone.
    pub(super) fn slice(&mut self, slice: &EndpointSlice, gone: bool) {
        let key = key(slice);
        self.forget_slice(&key);
        let Some(service) = slice.labels().get(OF_SERVICE).filter(|_| !gone) else {
            return;
        };
        if self.slices.len() >= MOST {
            self.dropped += 1;
            return;
        }
        let service = (key.0.clone(), service.clone());
        let endpoints = slice.endpoints.iter();
        let addresses = endpoints.flat_map(|it| &it.addresses);
        let addresses: Vec<_> = addresses.filter_map(|it| address_of(it)).collect();
        for address in &addresses {
            self.by_endpoint
                .entry(*address)
                .or_default()
                .insert(key.clone());
        }
        self.slices.insert(key, (service, addresses));
    }

    fn forget_slice(&mut self, key: &Key) {
        let (_, addresses) = self.slices.remove(key).unwrap_or_default();
        for address in addresses {
            if let Some(slices) = self.by_endpoint.get_mut(&address) {
                slices.remove(key);
                if slices.is_empty() {
                    self.by_endpoint.remove(&address);
                }
            }
        }
    }

    /// Namespace and name of the Service that has the address for its own, or for one behind it.
    pub(super) fn by_address(&self, address: IpAddr) -> Option<&Key> {
        let address = address.to_canonical();
        let behind = || {
            let slice = self.by_endpoint.get(&address)?.first()?;
            self.slices.get(slice).map(|(service, _)| service)
        };
        self.by_address.get(&address).or_else(behind)
    }

    /// The Service that declares the port at the address. One that has the address behind it declares all ports
    /// there: which of them its own are translated to is not known.
    pub(super) fn declares(
        &self,
        address: IpAddr,
        transport: v1::Transport,
        port: u32,
    ) -> Option<&Key> {
        let address = address.to_canonical();
        let key = self.by_address(address)?;
        let own = self.by_address.contains_key(&address);
        let mut declared = self.own.get(key).into_iter().flatten();
        let named = declared.any(|it| {
            it.transport() == transport
                && it.port == port
                && address_of(&it.address) == Some(address)
        });
        (!own || named).then_some(key)
    }

    /// The own addresses of all, with their ports.
    pub(super) fn table(&self) -> v1::ServiceTable {
        let services = self.own.iter().filter(|(_, declared)| !declared.is_empty());
        let service = |((namespace, name), declared): (&Key, &Vec<v1::Declared>)| v1::Service {
            namespace: namespace.clone(),
            name: name.clone(),
            declared: declared.clone(),
        };
        v1::ServiceTable {
            services: services.map(service).collect(),
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.own.len()
    }

    /// Forgets all Services but these.
    pub(super) fn keep(&mut self, kept: &BTreeSet<Key>) {
        let gone: Vec<_> = self
            .own
            .keys()
            .filter(|it| !kept.contains(*it))
            .cloned()
            .collect();
        for key in gone {
            self.own.remove(&key);
            self.by_address.retain(|_, of| *of != key);
        }
    }

    /// Forgets all slices but these.
    pub(super) fn keep_slices(&mut self, kept: &BTreeSet<Key>) {
        let gone: Vec<_> = self
            .slices
            .keys()
            .filter(|it| !kept.contains(*it))
            .cloned()
            .collect();
        for key in gone {
            self.forget_slice(&key);
        }
    }
}

pub(super) fn key(object: &impl kube::Resource) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

fn declared_by(service: &Service) -> Vec<v1::Declared> {
    let Some(spec) = &service.spec else {
        return Vec::new();
    };
    let status = service.status.as_ref();
    let balancer = status.and_then(|it| it.load_balancer.as_ref());
    let balancers = balancer.and_then(|it| it.ingress.as_ref());
    let outside = balancers
        .into_iter()
        .flatten()
        .filter_map(|it| it.ip.as_ref());
    let inside = spec.cluster_ips.iter().flatten().chain(&spec.cluster_ip);
    let addresses = inside
        .chain(spec.external_ips.iter().flatten())
        .chain(outside);
    // A headless one says `None`.
    let addresses: BTreeSet<_> = addresses.filter_map(|it| address_of(it)).collect();
    let ports: &[ServicePort] = spec.ports.as_deref().unwrap_or_default();
    let declared = addresses.iter().flat_map(|address| {
        ports.iter().map(|port| v1::Declared {
            address: address.to_string(),
            transport: transport(port.protocol.as_deref()).into(),
            port: u32::try_from(port.port).unwrap_or_default(),
        })
    });
    declared.collect()
}

fn transport(protocol: Option<&str>) -> v1::Transport {
    match protocol {
        Some("UDP") => v1::Transport::Udp,
        Some("SCTP") => v1::Transport::Sctp,
        _ => v1::Transport::Tcp,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, address: &str) -> Service {
        let json = serde_json::json!({
            "metadata": {"namespace": "blue", "name": name},
            "spec": {"clusterIP": address, "clusterIPs": [address], "ports": [
                {"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]},
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_address_is_of_the_service_that_has_it_now() {
        let mut services = Services::default();
        let address = "10.96.0.7".parse().unwrap();
        services.service(&service("web", "10.96.0.7"), false);
        assert_eq!(services.by_address(address).unwrap().1, "web");
        let told = services.table().services;
        let ports: Vec<_> = told[0]
            .declared
            .iter()
            .map(|it| (it.transport(), it.port))
            .collect();
        assert_eq!(ports, [(v1::Transport::Tcp, 80), (v1::Transport::Udp, 53)]);
        services.service(&service("web", "10.96.0.8"), false);
        assert_eq!(services.by_address(address), None);
        services.service(&service("web", "10.96.0.8"), true);
        assert_eq!(services.by_address("10.96.0.8".parse().unwrap()), None);
        assert_eq!(services.len(), 0);
    }

    #[test]
    fn an_address_behind_a_service_is_of_it_too() {
        let slice: EndpointSlice = serde_json::from_value(serde_json::json!({
            "metadata": {"namespace": "blue", "name": "db-1", "labels": {OF_SERVICE: "db"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": ["192.0.2.1"]}],
        }))
        .unwrap();
        let mut services = Services::default();
        services.slice(&slice, false);
        let address = "192.0.2.1".parse().unwrap();
        assert_eq!(services.by_address(address).unwrap().1, "db");
        services.keep_slices(&BTreeSet::new());
        assert_eq!(services.by_address(address), None);
        assert!(services.slices.is_empty() && services.by_endpoint.is_empty());
    }

    #[test]
    fn a_headless_service_has_no_address_of_its_own() {
        let mut services = Services::default();
        services.service(&service("db", "None"), false);
        assert_eq!(services.table().services.len(), 0);
        assert_eq!(services.len(), 1);
    }
}
