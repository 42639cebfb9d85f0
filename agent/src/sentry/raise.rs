//! From what was found to events with names, and to what is done about it.

use api::{
    events::Raised,
    filter,
    pods::{Pods, describe},
    v1,
};
use detect::Subject;

use super::Sentry;
use crate::identity::Remembered;

impl Sentry {
    /// Finds out whose interfaces are that were nobody's, and tells again what they did.
    pub(super) fn identify(&mut self, is_news: bool) {
        self.clock = self.clock.again();
        let now = self.clock.now();
        let bound = self.binder.bind(&self.ends.pods.borrow(), is_news, now);
        self.metrics
            .forgotten_interfaces
            .inc_by(self.binder.take_forgotten());
        for subject in &bound {
            if self.roster.subject(subject.ifindex) == Some(*subject) {
                self.set_detectors(*subject);
            }
            for event in self.unnamed.take(*subject) {
                self.tell_again(*subject, event);
            }
        }
        if !bound.is_empty() {
            self.arm();
        }
        if let Some(remembered) = self.ends.remembered.as_ref().filter(|_| !bound.is_empty()) {
            remembered.send_replace(Remembered {
                pods: self.ends.pods.borrow().clone(),
                bound: self.binder.bound(),
            });
        }
    }

    /// The event once more, as another one, with the pod that was unknown.
    pub(super) fn tell_again(&mut self, subject: Subject, mut event: v1::Event) {
        self.sequence += 1;
        event.raised_at = Some(self.clock.now().into());
        if let Some(id) = &mut event.id {
            id.sequence = self.sequence;
        }
        let pods = self.ends.pods.borrow();
        self.name(subject, &pods, &mut event);
        event.summary.clear();
        pods.complete(&mut event);
        let pod = self.binder.pod(subject, &pods);
        let policy = self.ends.policy.borrow();
        let is_excepted = policy.exception(&event, pod, self.clock.now()).is_some();
        drop((pods, policy));
        let step = match is_excepted {
            false => self.answer(subject, &event),
            // It was told already, but nothing is to be done about it.
            true => None,
        };
        self.ends.outbox.raise(event);
        self.settle(step);
    }

    /// Names the pod that the subject is of, or says why it cannot.
    pub(super) fn name(&self, subject: Subject, pods: &Pods, event: &mut v1::Event) {
        let Some(endpoint) = filter::subject_mut(event) else {
            return;
        };
        if self.roster.is_node(subject) {
            endpoint.node.clone_from(&self.agent.node);
            event.summary.clear();
            return;
        }
        endpoint.appeared_at = self.binder.appeared_at(subject).map(v1::Timestamp::from);
        match self.binder.pod(subject, pods) {
            Some(pod) => describe(endpoint, pod),
            None if pods.is_empty() => {}
            None => {
                let why = self.binder.why_unknown(subject).unwrap_or_default();
                endpoint.unknown = why.into();
            }
        }
    }

    pub(super) fn raise(&mut self) {
        for mut anomaly in std::mem::take(&mut self.found) {
            let interface = self.roster.name(anomaly.id.subject);
            anomaly.pod = self.roster.source(anomaly.id.subject, anomaly.pod);
            self.sequence += 1;
            self.clock = self.clock.again();
            let raised = Raised {
                node: &self.agent.node,
                epoch: self.agent.epoch,
                sequence: self.sequence,
                raised_at: self.clock.now(),
                boot: self.clock.boot,
                interface,
            };
            let mut event = raised.event(&anomaly);
            let pods = self.ends.pods.borrow();
            self.name(anomaly.id.subject, &pods, &mut event);
            pods.complete(&mut event);
            let pod = self.binder.pod(anomaly.id.subject, &pods);
            let policy = self.ends.policy.borrow();
            let exception = policy.exception(&event, pod, raised.raised_at);
            let excepted = exception.map(|it| it.name.clone());
            let is_node = self.roster.is_node(anomaly.id.subject);
            let is_named = pod.is_some() || pods.is_empty() || is_node;
            drop((pods, policy));
            let step = match excepted {
                None => self.answer(anomaly.id.subject, &event),
                Some(_) => {
                    self.guard.machine.close(&event.anomaly_id);
                    None
                }
            };
            if !self.hushed.tells(&mut event, excepted.is_some()) {
                self.sequence -= 1;
                self.metrics.excepted.inc();
                if let Some(exception) = excepted {
                    self.ends.hits.add(&exception);
                }
                self.settle(step);
                continue;
            }
            match is_named {
                false => self.unnamed.wait(anomaly.id.subject, event.clone()),
                true => self.unnamed.named(&event.anomaly_id),
            }
            self.ends.outbox.raise(event);
            self.settle(step);
        }
        self.metrics
            .unnamed_anomalies
            .inc_by(self.unnamed.take_dropped());
    }

    /// Raises what no detector found.
    pub(super) fn tell(&mut self, mut event: v1::Event) {
        self.sequence += 1;
        event.id = Some(v1::EventId {
            node: self.agent.node.clone(),
            epoch: self.agent.epoch,
            sequence: self.sequence,
        });
        self.ends.outbox.raise(event);
    }
}
