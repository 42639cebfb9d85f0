//! Which interfaces can be which pods', and which cannot be told apart.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
    net::IpAddr,
    time::SystemTime,
};

use api::{
    pods::{Pods, key},
    v1,
};

use super::{
    Binder,
    interface::{ELSEWHERE, Interface, NO_ADDRESS, NO_POD, SEVERAL, State},
};

impl Binder {
    /// What a former agent said is held against addresses and times, once these are known. Those that are wrong.
    pub(super) fn check_hearsay(&mut self, pods: &Pods) -> Vec<u64> {
        let mut wrong = Vec::new();
        for (&id, interface) in &mut self.interfaces {
            let State::Bound(pod) = &interface.state else {
                continue;
            };
            if !interface.is_hearsay {
                continue;
            }
            let is_true = match pods.by_uid(pod) {
                Some(pod) => interface.agrees_with(pod),
                // A pod is forgotten after its interface.
                None if self.is_current && interface.life.gone_at.is_none() => Some(false),
                None => None,
            };
            match is_true {
                Some(true) => interface.is_hearsay = false,
                Some(false) => wrong.push(id),
                None => {}
            }
        }
        for id in &wrong {
            if let Some(interface) = self.interfaces.get_mut(id)
                && let State::Bound(pod) =
                    std::mem::replace(&mut interface.state, State::Unknown(NO_POD))
            {
                interface.is_hearsay = false;
                self.pods.remove(&pod);
            }
        }
        wrong
    }

    pub(super) fn match_pods(&mut self, pods: &Pods, now: SystemTime) -> Vec<u64> {
        let mut candidates: BTreeMap<u64, HashSet<String>> = BTreeMap::new();
        let mut claims: HashMap<String, u32> = HashMap::new();
        for (&id, interface) in &self.interfaces {
            if matches!(interface.state, State::Bound(_)) {
                continue;
            }
            let fitting = self.fitting(interface, pods);
            for pod in &fitting {
                *claims.entry(pod.clone()).or_default() += 1;
            }
            candidates.insert(id, fitting);
        }
        let doubtful = self.doubtful(&candidates, pods, now);
        let mut bound = Vec::new();
        for (id, fitting) in candidates {
            let Some(interface) = self.interfaces.get_mut(&id) else {
                continue;
            };
            let mut fitting = fitting.into_iter();
            let state = match (fitting.next(), fitting.next()) {
                _ if interface.addresses.is_empty() => State::Unknown(NO_ADDRESS),
                (None, _) => State::Unknown(NO_POD),
                (Some(_), Some(_)) => State::Unknown(SEVERAL),
                (Some(pod), None) if claims.get(&pod) != Some(&1) => State::Unknown(ELSEWHERE),
                (Some(pod), None) if doubtful.contains(&pod) && !interface.has_stayed(now) => {
                    State::Unknown(ELSEWHERE)
                }
                (Some(pod), None) if interface.is_settled(now) => State::Bound(pod),
                (Some(_), None) => State::Unknown(NO_POD),
            };
            if let State::Bound(pod) = &state {
                self.pods.insert(pod.clone(), id);
                bound.push(id);
            }
            interface.state = state;
        }
        bound
    }

    /// Those of the pods that may have had an interface of which no address was known when it went, as far as
    /// that is to be doubted.
    fn doubtful(
        &self,
        candidates: &BTreeMap<u64, HashSet<String>>,
        pods: &Pods,
        now: SystemTime,
    ) -> HashSet<String> {
        let young = candidates.iter().filter(|(id, fitting)| {
            let interface = self.interfaces.get(id);
            fitting.len() == 1 && interface.is_some_and(|it| !it.has_stayed(now))
        });
        let asked: HashSet<_> = young.flat_map(|(_, fitting)| fitting).collect();
        if asked.is_empty() {
            return HashSet::new();
        }
        let interfaces = self.interfaces.values();
        let mut nameless: Vec<_> = interfaces
            .filter(|it| it.addresses.is_empty() && matches!(it.state, State::Unknown(_)))
            .filter_map(|it| Some((it.life.gone_at?, it.life)))
            .collect();
        // The last first: what went before a pod started is not looked at.
        nameless.sort_unstable_by_key(|(gone, _)| Reverse(*gone));
        let may_have_had_another = |pod: &v1::Pod| {
            let started = pod.started_at.and_then(|it| SystemTime::try_from(it).ok());
            started.is_some_and(|started| {
                let since = nameless.iter().take_while(|(gone, _)| *gone >= started);
                since.into_iter().any(|(_, life)| life.may_be_of(pod))
            })
        };
        asked
            .into_iter()
            .filter(|key| pods.by_uid(key).is_some_and(may_have_had_another))
            .cloned()
            .collect()
    }

    /// Keys of the pods that can be behind it.
    fn fitting(&self, interface: &Interface, pods: &Pods) -> HashSet<String> {
        let with_address = |address: &IpAddr| pods.with_address(*address);
        let pods = interface.addresses.iter().flat_map(with_address);
        let fitting = pods.filter(|pod| {
            let here = pod.node.is_empty() || pod.node == self.node;
            here && interface.may_be_of(pod) && self.is_free(pod, interface)
        });
        fitting.map(key).collect()
    }

    /// Whether the pod has no other interface: not now, and none before unless its containers started anew since.
    fn is_free(&self, pod: &v1::Pod, interface: &Interface) -> bool {
        let other = self
            .pods
            .get(&key(pod))
            .and_then(|id| self.interfaces.get(id));
        let Some(other) = other else {
            // What an operator wrote down has no times, and is true of what is there.
            return pod.started_at.is_some() || interface.life.gone_at.is_none();
        };
        let Some(gone) = other.life.gone_at else {
            return false;
        };
        // Kubernetes rounds times down to seconds: of a pod that lived for less than one, what was rounded up would
        // come after its end.
        let running = pod.running_at.and_then(|it| SystemTime::try_from(it).ok());
        pod.started_at.is_none() || running.is_some_and(|running| running > gone)
    }
}
