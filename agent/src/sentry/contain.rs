//! Carries out what is decided about containment, and tells of it.

use std::time::{Duration, SystemTime};

use api::{events::Taken, v1};
use detect::{Subject, Time};
use tracing::warn;

use super::{Sentry, guard::Guard};
use crate::{
    containment::{Change, Found, Order, Refusal, Step, Suspect, Told},
    datapath::monotonic,
    operators::Commanded,
};

impl Sentry {
    /// Takes over what an agent before this one has contained.
    pub(super) fn adopt(&mut self) {
        let now = monotonic();
        let kept = self.guard.read();
        let leases = self.datapath.leases();
        let boot = self.guard.boot.clone();
        let steps = self.guard.machine.adopt(kept, &boot, &leases, now);
        self.settle(steps);
    }

    /// What is decided on what was found is done before anything else; what is told of it comes after. With
    /// `is_quiet`, nobody is to be alarmed by it. The node itself is never contained: nobody could reach it to let
    /// it go.
    pub(super) fn answer(
        &mut self,
        subject: Subject,
        event: &v1::Event,
        is_quiet: bool,
    ) -> Option<Step> {
        if self.roster.is_node(subject) {
            return None;
        }
        let pods = self.ends.pods.borrow();
        let pod = self.binder.pod(subject, &pods);
        let suspect = Suspect { subject, pod };
        let known = |it: &Subject| self.binder.pod(*it, &pods).is_some();
        let watched = self.roster.subjects().iter().filter(|it| known(it)).count();
        let found = Found {
            detector: &event.detector,
            state: event.state(),
            shadow: event.shadow || is_quiet,
            // A pod that suffers what others do is no source.
            is_source: event
                .source
                .as_ref()
                .is_some_and(|it| !it.interface.is_empty()),
            anomaly_id: &event.anomaly_id,
            summary: &event.summary,
        };
        let machine = &mut self.guard.machine;
        let step = machine.found(found, &suspect, watched, monotonic())?;
        drop(pods);
        self.carry_out(&step);
        Some(step)
    }

    /// What time and the cluster change.
    pub(super) fn review(&mut self) {
        if self.guard.machine.is_idle() || !self.guard.is_synchronized {
            return;
        }
        let steps = {
            let pods = self.ends.pods.borrow();
            let suspects = Guard::suspects(&self.roster, &self.binder, &pods);
            self.guard.machine.review(&suspects, monotonic())
        };
        self.settle(steps);
    }

    pub(super) fn set_containment(&mut self) {
        let settings = self.ends.policy.borrow().containment.clone();
        if *self.guard.machine.settings() != settings {
            let steps = self.guard.machine.set(settings, monotonic());
            self.settle(steps);
        }
        self.review();
        self.arm();
    }

    pub(super) fn obey(&mut self, commanded: Commanded) {
        // What is contained may be another pod's by now than the one that is meant.
        self.review();
        let now = monotonic();
        let (id, step, done) = match commanded {
            Commanded::Order(order) => {
                let (step, done) = self.decide(&order, now);
                (order.id, step, done)
            }
            Commanded::Rejected { id, reason } => {
                let step = self.guard.machine.reject(&id, &reason, now);
                (id, step, Err(Refusal::Unverified(reason)))
            }
        };
        let until = match step.change {
            Change::Contain(until) => Some(self.wall(until).into()),
            Change::Nothing | Change::Release => None,
        };
        let outcome = v1::CommandOutcome {
            id,
            obeyed: done.is_ok(),
            reason: match &done {
                Err(refusal) => refusal.to_string(),
                Ok(()) if until.is_some() => "contained".into(),
                Ok(()) => "released".into(),
            },
            lease_until: until,
        };
        self.settle([step]);
        self.guard.orders.outcomes.tell(outcome);
    }

    fn decide(&mut self, order: &Order, now: Time) -> (Step, Result<(), Refusal>) {
        let pods = self.ends.pods.borrow();
        let suspects = Guard::suspects(&self.roster, &self.binder, &pods);
        self.guard.machine.obey(order, &suspects, now)
    }

    /// Carries out what is decided, tells it, and keeps it.
    pub(super) fn settle(&mut self, steps: impl IntoIterator<Item = Step>) {
        let mut is_new = false;
        for step in steps {
            self.carry_out(&step);
            self.tell_step(step);
            is_new = true;
        }
        if is_new {
            self.guard.keep();
            self.arm();
        }
    }

    fn carry_out(&mut self, step: &Step) {
        let Some(subject) = step.subject else {
            return;
        };
        match step.change {
            Change::Nothing => {}
            Change::Contain(until) => {
                self.datapath.contain(subject, until);
                for (edge, _) in self.edges.of(subject, monotonic()) {
                    self.datapath.know(subject, edge.transport, edge.port);
                }
            }
            Change::Release => self.datapath.release(subject),
        }
    }

    fn tell_step(&mut self, step: Step) {
        self.metrics
            .take_step(&step, self.guard.machine.held().count());
        let Step { subject, told, .. } = step;
        let Some(told) = told else {
            return;
        };
        self.sequence += 1;
        self.clock = self.clock.again();
        let now = self.clock.now();
        let since = self.wall(told.since).min(now);
        let taken = self.taken(subject, &told);
        let mut event = taken.event(now, since);
        self.ends.pods.borrow().complete(&mut event);
        if subject.is_none() {
            warn!(summary = event.summary, "containment");
        }
        self.ends.outbox.raise(event);
    }

    fn taken(&self, subject: Option<Subject>, told: &Told) -> Taken {
        let Subject { ifindex, epoch } = subject.unwrap_or(Subject {
            ifindex: 0,
            epoch: 0,
        });
        let node = &self.agent.node;
        let address = subject.and_then(|it| self.roster.source(it, None));
        let interface = subject.map_or("", |it| self.roster.name(it));
        Taken {
            id: v1::EventId {
                node: node.clone(),
                epoch: self.agent.epoch,
                sequence: self.sequence,
            },
            anomaly_id: format!(
                "{node}/{}/{ifindex}.{epoch}/{}/{}",
                told.opened_by,
                api::actions::CONTAINMENT,
                told.serial
            ),
            state: told.state,
            severity: told.severity,
            source: v1::Endpoint {
                namespace: told.namespace.clone(),
                pod: told.pod.clone(),
                uid: told.uid.clone(),
                address: address.map(|it| it.to_string()).unwrap_or_default(),
                interface: interface.to_owned(),
                ..v1::Endpoint::default()
            },
            action: v1::Action {
                kind: told.kind.into(),
                reason: told.reason.clone(),
                by: told.by.clone(),
                command_id: told.command_id.clone(),
                lease_until: told.until.map(|it| self.wall(it).into()),
                anomaly_id: told.anomaly_id.clone(),
            },
            withheld: told.withheld,
        }
    }

    pub(super) fn wall(&self, time: Time) -> SystemTime {
        self.clock.boot + Duration::from_nanos(time.nanoseconds())
    }
}
