//! What agents are told of Services, and what became different.

use std::collections::{BTreeMap, VecDeque};

use api::v1;

/// By namespace and name.
pub(crate) type Key = (String, String);

/// Forgotten Services that agents can be told of; who missed more is told the whole table.
const FORGOTTEN: usize = 1024;

/// By Service: in which revision it became different, and what is told of it.
#[derive(Debug, Default)]
pub(super) struct Told {
    services: BTreeMap<Key, (u64, v1::Service)>,
    forgotten: VecDeque<(u64, Key)>,
    /// Up to here what was forgotten is not remembered any more.
    lost: u64,
    revision: u64,
}

/// What agents are told.
#[derive(Debug)]
pub(crate) enum News {
    Whole(Vec<v1::Service>),
    Changes(v1::ServiceChanges),
}

impl Told {
    /// This is what is told of the Service now; nothing when it declares nothing.
    pub(super) fn set(&mut self, key: &Key, service: v1::Service) {
        if service.declared.is_empty() && service.endpoints.is_empty() {
            return self.remove(key);
        }
        let known = self.services.get(key);
        if known.is_some_and(|(_, known)| *known == service) {
            return;
        }
        self.revision += 1;
        self.services.insert(key.clone(), (self.revision, service));
    }

    fn remove(&mut self, key: &Key) {
        if self.services.remove(key).is_none() {
            return;
        }
        self.revision += 1;
        self.forgotten.push_back((self.revision, key.clone()));
        if self.forgotten.len() > FORGOTTEN
            && let Some((revision, _)) = self.forgotten.pop_front()
        {
            self.lost = revision;
        }
    }

    pub(super) const fn revision(&self) -> u64 {
        self.revision
    }

    pub(super) fn news(&self, seen: Option<u64>) -> (u64, News) {
        let services = self.services.values();
        let Some(seen) = seen.filter(|seen| *seen >= self.lost) else {
            let whole = services.map(|(_, service)| service.clone());
            return (self.revision, News::Whole(whole.collect()));
        };
        let changed = services.filter(|(revision, _)| *revision > seen);
        let forgotten = self.forgotten.iter();
        let forgotten = forgotten.filter(|(revision, _)| *revision > seen);
        let changes = v1::ServiceChanges {
            services: changed.map(|(_, service)| service.clone()).collect(),
            forgotten: forgotten
                .map(|(_, (namespace, name))| v1::ServiceName {
                    namespace: namespace.clone(),
                    name: name.clone(),
                })
                .collect(),
            more: false,
        };
        (self.revision, News::Changes(changes))
    }
}
