//! The Services of the cluster: whose an address is, and what agents are told.

mod told;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    net::IpAddr,
    time::{Duration, SystemTime},
};

use api::{pods::address_of, services::addresses, v1};
use k8s_openapi::{api::core::v1::Service, apimachinery::pkg::apis::meta::v1::ObjectMeta};
use kube::ResourceExt as _;

use self::told::Told;
pub(super) use self::told::{Key, News};
use super::{declared, slice::Slice};

/// Which slices are of which Service.
const OF_SERVICE: &str = "kubernetes.io/service-name";
/// Services in all, and slices.
const MOST: usize = 50_000;
/// Ports of addresses behind Services that agents are told of: each keeps them in some three megabytes.
const ENDPOINTS: usize = 65_536;
/// Kubernetes tells times in whole seconds, rounded down.
pub(super) const ROUNDED: Duration = Duration::from_secs(1);

/// Services, by name and by address.
#[derive(Debug, Default)]
pub(super) struct Services {
    own: BTreeMap<Key, Own>,
    by_address: HashMap<IpAddr, BTreeSet<Key>>,
    slices: HashMap<Key, OfSlice>,
    by_service: HashMap<Key, BTreeSet<Key>>,
    /// Slices that say who has the address, which is nobody's in the cluster.
    by_endpoint: HashMap<IpAddr, BTreeSet<Key>>,
    /// Slices that declare ports of the address.
    by_declared: HashMap<IpAddr, Vec<Key>>,
    told: Told,
    endpoints: usize,
    pub(super) dropped: u64,
}

#[derive(Debug)]
struct Own {
    since: Option<SystemTime>,
    declared: Vec<v1::Declared>,
}

#[derive(Debug)]
struct OfSlice {
    service: Key,
    since: Option<SystemTime>,
    outside: Vec<IpAddr>,
    endpoints: v1::Endpoints,
    count: usize,
}

impl Services {
    /// Takes in a Service, or that it is gone.
    pub(super) fn service(&mut self, service: &Service, gone: bool) {
        let key = key(service);
        if gone {
            return self.forget(&key);
        }
        if self.own.len() >= MOST && !self.own.contains_key(&key) {
            self.dropped += 1;
            return;
        }
        self.forget_own(&key);
        let own = Own {
            since: since(&service.metadata),
            declared: declared::by_service(service),
        };
        for address in own.addresses() {
            let of_address = self.by_address.entry(address).or_default();
            of_address.insert(key.clone());
        }
        self.own.insert(key.clone(), own);
        self.tell(&key);
    }

    fn forget(&mut self, key: &Key) {
        self.forget_own(key);
        self.tell(key);
    }

    fn forget_own(&mut self, key: &Key) {
        let own = self.own.remove(key);
        for address in own.iter().flat_map(Own::addresses) {
            remove(&mut self.by_address, &address, key);
        }
    }

    /// Takes in some of what is behind a Service, or that it is gone.
    pub(super) fn slice(&mut self, slice: &Slice, gone: bool) {
        let key = key(slice);
        let former = self.forget_slice(&key);
        let service = slice.labels().get(OF_SERVICE).filter(|_| !gone);
        let service = service.map(|service| (key.0.clone(), service.clone()));
        if let Some(service) = service.clone() {
            self.insert_slice(key, service, slice);
        }
        for service in former.iter().chain(&service) {
            self.tell(service);
        }
    }

    fn insert_slice(&mut self, key: Key, service: Key, slice: &Slice) {
        if self.slices.len() >= MOST {
            self.dropped += 1;
            return;
        }
        let listed = slice.endpoints.iter().flatten();
        let outside = listed.filter(|it| it.target_ref.is_none());
        let outside = outside.flat_map(|it| &it.addresses);
        let outside: Vec<_> = outside.filter_map(|it| address_of(it)).collect();
        for address in &outside {
            let of_address = self.by_endpoint.entry(*address).or_default();
            of_address.insert(key.clone());
        }
        let (mut endpoints, mut count) = declared::by_slice(slice);
        if self.endpoints + count > ENDPOINTS {
            self.dropped += 1;
            (endpoints, count) = (v1::Endpoints::default(), 0);
        }
        self.endpoints += count;
        for address in addresses(&endpoints) {
            let of_address = self.by_declared.entry(address).or_default();
            of_address.push(key.clone());
        }
        let of_service = self.by_service.entry(service.clone()).or_default();
        of_service.insert(key.clone());
        let of_slice = OfSlice {
            service,
            since: since(&slice.metadata),
            outside,
            endpoints,
            count,
        };
        self.slices.insert(key, of_slice);
    }

    /// Whose it was.
    fn forget_slice(&mut self, key: &Key) -> Option<Key> {
        let slice = self.slices.remove(key)?;
        self.endpoints -= slice.count;
        for address in slice.outside {
            remove(&mut self.by_endpoint, &address, key);
        }
        for address in addresses(&slice.endpoints) {
            if let Some(slices) = self.by_declared.get_mut(&address) {
                slices.retain(|it| it != key);
                if slices.is_empty() {
                    self.by_declared.remove(&address);
                }
            }
        }
        remove(&mut self.by_service, &slice.service, key);
        Some(slice.service)
    }

    /// Namespace and name of the one Service that had the address at that time: for its own, or behind it for
    /// what is no pod.
    pub(super) fn at(&self, address: IpAddr, at: Option<SystemTime>) -> Option<&Key> {
        let address = address.to_canonical();
        let was_there = |since: &Option<SystemTime>| {
            let begins = since.zip(at);
            begins.is_none_or(|(since, at)| since < at + ROUNDED)
        };
        let own = self.by_address.get(&address).into_iter().flatten();
        let own: BTreeSet<_> = own
            .filter(|it| self.own.get(*it).is_some_and(|it| was_there(&it.since)))
            .collect();
        if !own.is_empty() {
            return only(own);
        }
        let slices = self.by_endpoint.get(&address).into_iter().flatten();
        let slices = slices.filter_map(|it| self.slices.get(it));
        let slices = slices.filter(|it| was_there(&it.since));
        only(slices.map(|it| &it.service).collect())
    }

    /// The Service that declares the port at the address: at its own, or at one behind it.
    pub(super) fn declares(
        &self,
        address: IpAddr,
        transport: v1::Transport,
        port: u32,
    ) -> Option<&Key> {
        let address = address.to_canonical();
        let by_itself = |key: &&Key| {
            let own = self.own.get(*key);
            let mut declared = own.into_iter().flat_map(|it| &it.declared);
            declared.any(|it| {
                it.transport() == transport
                    && it.port == port
                    && address_of(&it.address) == Some(address)
            })
        };
        let mut own = self.by_address.get(&address).into_iter().flatten();
        let slices = self.by_declared.get(&address).into_iter().flatten();
        let mut slices = slices.filter_map(|it| self.slices.get(it));
        let behind = |slice: &&OfSlice| {
            let mut ports = slice.endpoints.ports.iter();
            ports.any(|it| it.transport() == transport && it.port == port)
        };
        own.find(by_itself)
            .or_else(|| slices.find(behind).map(|it| &it.service))
    }

    fn tell(&mut self, key: &Key) {
        let slices = self.by_service.get(key).into_iter().flatten();
        let slices = slices.filter_map(|it| self.slices.get(it));
        let endpoints = slices.filter(|it| it.count > 0);
        let service = v1::Service {
            namespace: key.0.clone(),
            name: key.1.clone(),
            declared: self
                .own
                .get(key)
                .map_or(Vec::new(), |it| it.declared.clone()),
            endpoints: endpoints.map(|it| it.endpoints.clone()).collect(),
        };
        self.told.set(key, service);
    }

    /// What agents are told since that revision, and the revision now. None stands for the whole.
    pub(super) fn news(&self, seen: Option<u64>) -> (u64, News) {
        self.told.news(seen)
    }

    /// Counts up with what agents are told.
    pub(super) const fn revision(&self) -> u64 {
        self.told.revision()
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.own.len()
    }

    /// Forgets all Services but these.
    pub(super) fn keep(&mut self, kept: &BTreeSet<Key>) {
        for key in others(self.own.keys(), kept) {
            self.forget(&key);
        }
    }

    /// Forgets all slices but these.
    pub(super) fn keep_slices(&mut self, kept: &BTreeSet<Key>) {
        for key in others(self.slices.keys(), kept) {
            if let Some(service) = self.forget_slice(&key) {
                self.tell(&service);
            }
        }
    }
}

impl Own {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        let addresses = self.declared.iter();
        addresses.filter_map(|it| address_of(&it.address))
    }
}

pub(super) fn key<K: kube::Resource>(object: &K) -> Key {
    (object.namespace().unwrap_or_default(), object.name_any())
}

/// Since when it is there.
pub(super) fn since(meta: &ObjectMeta) -> Option<SystemTime> {
    let since = meta.creation_timestamp.as_ref();
    since.map(|it| SystemTime::from(it.0))
}

fn only(keys: BTreeSet<&Key>) -> Option<&Key> {
    let mut keys = keys.into_iter();
    keys.next().filter(|_| keys.next().is_none())
}

fn others<'a>(keys: impl Iterator<Item = &'a Key>, kept: &BTreeSet<Key>) -> Vec<Key> {
    keys.filter(|it| !kept.contains(*it)).cloned().collect()
}

fn remove<T: Eq + std::hash::Hash>(sets: &mut HashMap<T, BTreeSet<Key>>, of: &T, key: &Key) {
    if let Some(set) = sets.get_mut(of) {
        set.remove(key);
        if set.is_empty() {
            sets.remove(of);
        }
    }
}

#[cfg(test)]
mod tests;
