//! The names that an event is given.

use std::time::SystemTime;

use super::{Found, Life, Pods, address_of, life};
use crate::{filter, summary, v1};

/// Of a pod that go into an event.
const LABELS: usize = 64;

impl Pods {
    /// Names the pods of an event that are still unnamed, from their addresses at its time, labels the pod it is
    /// about, and says its summary again when there are names that it lacks. What is unknown stays empty.
    pub fn complete(&self, event: &mut v1::Event) {
        let span = span(event);
        let node = event.id.as_ref().map(|id| id.node.clone());
        let mut news = event.summary.is_empty();
        // The agent of its node knows best whose interface it is, and tells again once it does.
        let is_unknown = filter::subject_mut(event).is_some_and(|it| !it.unknown.is_empty());
        let of_source = event
            .source
            .as_ref()
            .is_some_and(|it| !it.unknown.is_empty());
        if let Some(source) = event.source.as_mut().filter(|_| !is_unknown) {
            news |= self.name(source, |pods, address, endpoint| {
                let life = Life {
                    appeared_at: life::time(endpoint.appeared_at),
                    gone_at: None,
                };
                match (life.appeared_at, &node) {
                    (Some(_), Some(node)) => pods.of_interface(node, address, life),
                    _ => pods.at_some_time(address, span),
                }
            });
        }
        let skipped = usize::from(is_unknown && !of_source);
        let targets = event.targets.iter_mut().skip(skipped);
        for endpoint in targets.filter_map(|target| target.endpoint.as_mut()) {
            news |= self.name(endpoint, |pods, address, _| {
                pods.at_some_time(address, span)
            });
        }
        self.label(event);
        if news {
            event.summary = summary::summarize(event);
        }
    }

    fn at_some_time(
        &self,
        address: std::net::IpAddr,
        span: Option<(SystemTime, SystemTime)>,
    ) -> Found<'_> {
        match span {
            Some((first, last)) => self.at(address, first, last),
            None => self.by_address(address).map_or(Found::Nobody, Found::Pod),
        }
    }

    fn label(&self, event: &mut v1::Event) {
        let Some(subject) = filter::subject_mut(event) else {
            return;
        };
        let same = |pod: &&v1::Pod| subject.namespace == pod.namespace && subject.pod == pod.name;
        let address = address_of(&subject.address);
        let mut known = address.into_iter().flat_map(|it| self.with_address(it));
        if let Some(pod) = known.find(same) {
            let labels = pod.labels.iter().take(LABELS);
            let labels = labels.map(|(key, value)| (key.clone(), value.clone()));
            subject.labels = labels.collect();
        }
    }

    /// Whether the pod has a name that it had not.
    fn name<'a>(
        &'a self,
        endpoint: &mut v1::Endpoint,
        find: impl FnOnce(&'a Self, std::net::IpAddr, &v1::Endpoint) -> Found<'a>,
    ) -> bool {
        let Some(address) = address_of(&endpoint.address).filter(|_| !self.by_address.is_empty())
        else {
            return false;
        };
        if !endpoint.pod.is_empty() {
            self.describe_known(endpoint, address);
            return false;
        }
        if !endpoint.namespace.is_empty() {
            return false;
        }
        match find(self, address, endpoint) {
            Found::Pod(pod) => {
                describe(endpoint, pod);
                true
            }
            Found::Several(pods) => {
                endpoint.unknown = format!("{pods} pods had this address at about that time");
                false
            }
            Found::Nobody => false,
        }
    }

    /// The rest about a pod that has a name. The uid of another pod would be worse than none.
    fn describe_known(&self, endpoint: &mut v1::Endpoint, address: std::net::IpAddr) {
        let mut same = self.with_address(address).filter(|pod| {
            (endpoint.uid.is_empty() || endpoint.uid == pod.uid)
                && endpoint.namespace == pod.namespace
                && endpoint.pod == pod.name
        });
        if let (Some(pod), None) = (same.next(), same.next()) {
            describe(endpoint, pod);
        }
    }
}

/// Writes down all that is known of the pod.
pub fn describe(endpoint: &mut v1::Endpoint, pod: &v1::Pod) {
    endpoint.namespace.clone_from(&pod.namespace);
    endpoint.pod.clone_from(&pod.name);
    endpoint.uid.clone_from(&pod.uid);
    endpoint.owner.clone_from(&pod.owner);
    endpoint.node.clone_from(&pod.node);
    endpoint.service_account.clone_from(&pod.service_account);
    endpoint.unknown.clear();
}

/// From the first packet that the event tells of to the last.
fn span(event: &v1::Event) -> Option<(SystemTime, SystemTime)> {
    let first = life::time(event.first_seen)?;
    let last = life::time(event.last_seen)?;
    Some((first, last.max(first)))
}
