//! From what was found to events with names, and to what is done about it.

use std::time::SystemTime;

use api::{
    events::Raised,
    filter,
    pods::{Pods, describe},
    v1,
};
use detect::{Mode, Subject};

use super::Sentry;

/// What is to be done about an event.
enum Verdict {
    /// Whatever containment decides.
    Act,
    /// It is for the record: what is found in this pod is only tried out, or not looked for any more.
    Record,
    /// The same, for this exception covers it.
    Except(String),
}

impl Verdict {
    const fn is_quiet(&self) -> bool {
        matches!(self, Self::Record | Self::Except(_))
    }
}

impl Sentry {
    /// Finds out whose interfaces are that were nobody's, and tells again what they did.
    pub(super) fn identify(&mut self, is_news: bool) {
        self.clock = self.clock.again();
        let now = self.clock.now();
        let changed = self.binder.bind(&self.ends.pods.borrow(), is_news, now);
        self.metrics
            .forgotten_interfaces
            .inc_by(self.binder.take_forgotten());
        for subject in &changed {
            if self.roster.subject(subject.ifindex) == Some(*subject) {
                self.set_detectors(*subject);
            }
            if self
                .binder
                .pod(*subject, &self.ends.pods.borrow())
                .is_some()
            {
                for event in self.unnamed.take(*subject) {
                    self.tell_again(*subject, event);
                }
            }
        }
        if !changed.is_empty() {
            self.arm();
        }
        if is_news || !changed.is_empty() {
            self.remembering.mark();
        }
    }

    /// The event once more, as another one, with the pod that was unknown. When nobody is to be told of what this
    /// pod does, it is for the record alone.
    fn tell_again(&mut self, subject: Subject, mut event: v1::Event) {
        self.sequence += 1;
        let now = self.clock.now();
        event.raised_at = Some(now.into());
        if let Some(id) = &mut event.id {
            id.sequence = self.sequence;
        }
        let pods = self.ends.pods.borrow();
        self.name(subject, &pods, &mut event);
        event.summary.clear();
        pods.complete(&mut event);
        drop(pods);
        let verdict = self.verdict(subject, &event, now);
        event.shadow |= verdict.is_quiet();
        let step = self.answer(subject, &event, verdict.is_quiet());
        if let Verdict::Except(exception) = verdict {
            self.metrics.excepted.inc();
            self.ends.hits.add(&exception);
        }
        self.ends.outbox.raise(event);
        self.settle(step);
    }

    /// What is to be done about an event of this pod, by what is set now.
    fn verdict(&self, subject: Subject, event: &v1::Event, now: SystemTime) -> Verdict {
        let pods = self.ends.pods.borrow();
        let pod = self.binder.pod(subject, &pods);
        let policy = self.ends.policy.borrow();
        if let Some(exception) = policy.exception(event, pod, now) {
            return Verdict::Except(exception.name.clone());
        }
        match policy.settings(pod).values(&event.detector) {
            Ok((Mode::Shadow | Mode::Off, _)) => Verdict::Record,
            Ok((Mode::On, _)) | Err(_) => Verdict::Act,
        }
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
            None if self.has_no_pods(pods) => {}
            None => {
                let why = self.binder.why_unknown(subject, pods);
                endpoint.unknown = why.unwrap_or_default().into();
            }
        }
    }

    /// Where nobody knows of any pod, no pod is unknown.
    fn has_no_pods(&self, pods: &Pods) -> bool {
        pods.is_empty() && self.binder.is_current()
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
            // It is said once all are named.
            event.summary.clear();
            pods.complete(&mut event);
            let pod = self.binder.pod(anomaly.id.subject, &pods);
            let is_node = self.roster.is_node(anomaly.id.subject);
            let is_named = pod.is_some() || is_node || self.has_no_pods(&pods);
            drop(pods);
            let verdict = self.verdict(anomaly.id.subject, &event, raised.raised_at);
            let step = self.answer(anomaly.id.subject, &event, verdict.is_quiet());
            let excepted = match verdict {
                Verdict::Except(exception) => {
                    self.guard.machine.close(&event.anomaly_id);
                    Some(exception)
                }
                Verdict::Act | Verdict::Record => None,
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
