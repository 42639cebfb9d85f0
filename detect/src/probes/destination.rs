//! One destination of a pod: what came of its probes, service by service.

use std::time::Duration;

use hashbrown::{HashMap, hash_map::Entry};

use super::few::Few;
use crate::{
    Technique, Time, Transport,
    window::{PerHorizon, Windows},
};

/// Seconds.
const MINUTE: u64 = 60;
/// Seconds.
const HOUR: u64 = 60 * 60;
/// Ports below this are those of well-known and registered services that people run: what is above is
/// mostly handed out at random.
const LOW_PORTS: u16 = 10_240;

/// What can be probed of one destination.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct Service {
    /// Over what.
    pub(crate) transport: Transport,
    /// The port, the number of another IP protocol, or 0 where there is neither.
    pub(crate) port: u16,
}

impl Service {
    /// Whether it is a port.
    pub(crate) const fn is_port(self) -> bool {
        matches!(
            self.transport,
            Transport::Tcp | Transport::Udp | Transport::Sctp
        )
    }
}

/// Services of one destination that were probed, and how many ports failed lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Destination {
    /// When a record last told of it, to the second.
    pub(super) touched: u32,
    /// It has crossed a threshold for ports during the open anomaly.
    pub(super) crossed: bool,
    probes: HashMap<Service, Probe>,
    failed: Windows,
    /// Low ports by when they were first probed.
    low: Few<MINUTE>,
    /// Ports that were first probed with crafted packets, by when.
    crafted: Few<HOUR>,
    /// Ports whose latest outcome is a failure, however long ago.
    failing: u32,
    /// Ports that entered `low` or `crafted`, and may count there.
    new_ports: u32,
}

/// The latest that is known of one service of one destination.
///
/// Packed to 12 bytes, since there may be 65,536 of them to a pod.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(2))]
pub(crate) struct Probe {
    /// When it came to its outcome, or was sent while there is none.
    at: Time,
    outcome: Outcome,
    /// A packet is on its way and neither answered nor refused yet.
    awaited: bool,
    /// It has answered before, or the cluster declares it: nobody scans what he knows.
    known: bool,
    technique: Option<Technique>,
}

/// Ports of a destination that are new to the pod, each 0 when a probe adds none.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct NewPorts {
    /// Low ones, within a minute.
    pub(crate) low: u32,
    /// Those that were probed with packets no operating system sends, within an hour.
    pub(crate) crafted: u32,
}

/// What came of a probe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    None,
    /// An answer.
    Answered,
    /// Nothing in time, though there should have been something.
    Silent,
    /// Nothing in time over UDP, as much that is sent over UDP wants no answer.
    Unanswered,
    /// A refusal.
    Refused,
}

impl Outcome {
    pub(crate) const fn failed(self) -> bool {
        matches!(self, Self::Silent | Self::Refused)
    }
}

impl Probe {
    pub(crate) const fn at(self) -> Time {
        self.at
    }

    pub(crate) const fn outcome(self) -> Outcome {
        self.outcome
    }

    /// When the packet passed that told the latest of it.
    pub(crate) fn passed_at(self, silence: Duration) -> Time {
        match self.outcome {
            Outcome::Silent | Outcome::Unanswered => self.at - silence,
            Outcome::None | Outcome::Answered | Outcome::Refused => self.at,
        }
    }

    /// Whether it failed, and never answered: a service that went down is no scan.
    pub(crate) const fn failed(self) -> bool {
        self.outcome.failed() && !self.known
    }

    pub(crate) const fn technique(self) -> Option<Technique> {
        self.technique
    }
}

impl Destination {
    /// Makes sure that the service is remembered; true when it was not.
    pub(super) fn reach(&mut self, service: Service, at: Time) -> bool {
        let Entry::Vacant(entry) = self.probes.entry(service) else {
            return false;
        };
        entry.insert(Probe {
            at,
            outcome: Outcome::None,
            awaited: false,
            known: false,
            technique: None,
        });
        true
    }

    /// A probe was sent: whether none was on its way yet, and what new ports there are by it.
    pub(super) fn send(
        &mut self,
        service: Service,
        at: Time,
        technique: Technique,
        is_declared: bool,
    ) -> (bool, NewPorts) {
        let mut new = NewPorts::default();
        let Some(probe) = self.probes.get_mut(&service) else {
            return (false, new);
        };
        let is_new = service.is_port() && probe.technique.is_none();
        probe.technique = Some(technique);
        let first = !probe.awaited;
        probe.awaited = true;
        probe.known |= is_declared;
        if is_new && service.port < LOW_PORTS {
            new.low = self.low.enter(at);
        }
        if is_new && technique.is_crafted() {
            new.crafted = self.crafted.enter(at);
        }
        // A single one is what every destination has.
        if new.low.max(new.crafted) > 1 {
            self.new_ports = self.new_ports.max(new.low).max(new.crafted);
        }
        (first, new)
    }

    pub(super) fn technique(&self, service: Service) -> Option<Technique> {
        self.probes.get(&service).and_then(|probe| probe.technique)
    }

    /// Whether the service has answered before.
    pub(super) fn is_known(&self, service: Service) -> bool {
        self.probes.get(&service).is_some_and(|probe| probe.known)
    }

    /// What failed so far counts no more; how many services are forgotten.
    pub(super) fn spend(&mut self) -> usize {
        let before = self.probes.len();
        self.probes.retain(|_, probe| probe.known || probe.awaited);
        for probe in self.probes.values_mut() {
            if !probe.known {
                probe.outcome = Outcome::None;
            }
        }
        self.failed = Windows::default();
        self.low = Few::None;
        self.crafted = Few::None;
        self.new_ports = 0;
        self.failing = 0;
        self.crossed = false;
        before - self.probes.len()
    }

    /// Whether nothing has come yet of the probe `sent` then.
    pub(super) fn awaits(&self, service: Service, sent: Time) -> bool {
        self.probes.get(&service).is_some_and(|probe| {
            probe.awaited && !probe.known && (probe.outcome == Outcome::None || probe.at() <= sent)
        })
    }

    /// Whether the probe `sent` then came to an outcome, or is forgotten.
    pub(super) fn has_settled(&self, service: Service, sent: Time) -> bool {
        let probe = self.probes.get(&service);
        probe.is_none_or(|probe| probe.outcome != Outcome::None && probe.at() >= sent)
    }

    /// Stops waiting for what comes of the probe `sent` then; true when nothing has.
    pub(super) fn give_up(&mut self, service: Service, sent: Time) -> bool {
        let Some(probe) = self.probes.get_mut(&service) else {
            return false;
        };
        let settled = probe.outcome != Outcome::None && probe.at() >= sent;
        probe.awaited = false;
        !settled
    }

    /// Whether `outcome` can be of a probe that was sent: nobody refuses what has been answered.
    pub(super) fn expects(&self, service: Service, outcome: Outcome) -> bool {
        self.probes.get(&service).is_some_and(|probe| {
            probe.technique.is_some()
                && (probe.awaited
                    || probe.outcome != Outcome::Answered
                    || outcome == Outcome::Answered)
        })
    }

    /// The service came to an outcome; true when it fails and had not failed before.
    pub(super) fn settle(&mut self, service: Service, at: Time, outcome: Outcome) -> bool {
        let Some(probe) = self.probes.get_mut(&service) else {
            return false;
        };
        let before = probe.failed().then_some(probe.at);
        probe.known |= outcome == Outcome::Answered;
        probe.at = at;
        probe.outcome = outcome;
        probe.awaited = false;
        let fails = probe.failed();
        if service.is_port() {
            match (before, fails) {
                (_, true) => self.failed.seen(before, at),
                (Some(before), false) => self.failed.forget(before),
                (None, false) => {}
            }
            match (before, fails) {
                (None, true) => self.failing += 1,
                (Some(_), false) => self.failing -= 1,
                _ => {}
            }
        }
        before.is_none() && fails
    }

    pub(crate) fn failed(&self, now: Time) -> PerHorizon {
        self.failed.counts(now)
    }

    /// How much would be lost with it: the more, the later it makes room.
    pub(super) const fn weight(&self) -> u32 {
        if self.crossed {
            u32::MAX
        } else if self.failing > self.new_ports {
            self.failing
        } else {
            self.new_ports
        }
    }

    pub(super) fn knows(&self, service: Service) -> bool {
        self.probes.contains_key(&service)
    }

    /// Low ports that were new to the pod within a minute.
    pub(crate) fn new_low_ports(&self, now: Time) -> u32 {
        self.low.count(now)
    }

    /// Ports that were new to the pod within an hour, and probed with packets no operating system sends.
    pub(crate) fn crafted_ports(&self, now: Time) -> u32 {
        self.crafted.count(now)
    }

    /// The services with something known since `start`, in no order.
    pub(crate) fn since(&self, start: Time) -> impl Iterator<Item = (Service, Probe)> {
        let probes = self
            .probes
            .iter()
            .map(|(&service, &probe)| (service, probe));
        probes.filter(move |(_, probe)| probe.at() >= start)
    }

    /// Forgets the services of which nothing has been known since `start`, and those that have answered
    /// since `known_start`; how many these were.
    pub(super) fn sweep(&mut self, start: Time, known_start: Time) -> usize {
        let before = self.probes.len();
        let failing = &mut self.failing;
        self.probes.retain(|service, probe| {
            let start = if probe.known { known_start } else { start };
            let keep = probe.awaited || probe.at() >= start;
            *failing -= u32::from(!keep && probe.failed() && service.is_port());
            keep
        });
        if self.probes.len() < self.probes.capacity() / 4 {
            self.probes.shrink_to_fit();
        }
        before - self.probes.len()
    }

    pub(super) fn len(&self) -> usize {
        self.probes.len()
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.probes.allocation_size()
            + self.failed.heap_bytes()
            + self.low.heap_bytes()
            + self.crafted.heap_bytes()
    }
}
