//! What came of the probes of a pod, one by one in the order of time.

mod destination;
mod destinations;
mod few;

use std::{collections::VecDeque, net::IpAddr, time::Duration};

pub(crate) use self::{
    destination::{Destination, NewPorts, Outcome, Service},
    destinations::Destinations,
};
use crate::{
    Contact, Count, Declared, Observation, Outcome as Told, Technique, Time, Transport,
    window::{HORIZONS, PerHorizon, reach},
};

#[cfg(test)]
pub(crate) use self::destinations::PROBES;

/// Probes that may await an answer at a time; the oldest makes room for another.
const AWAITED: usize = 8192;
/// Hosts of a cluster answer within this time: what has not is not silent yet, but overdue.
const OVERDUE: Duration = Duration::from_millis(80);

/// What the records of a pod tell of its probes, over every transport.
///
/// Silence is the lack of a record, and records can be lost. Each lost record may have been an
/// answer, so each excuses one probe that seems silent: no destination is accused by a loss.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probes {
    pub(crate) destinations: Destinations,
    /// The pod's address in the latest answer or refusal, which found its way to the pod. The source of
    /// a probe proves nothing.
    pub(crate) pod: Option<IpAddr>,
    /// Of the last observation, in time order.
    pub(crate) steps: Vec<Step>,
    /// Probes of the last observation that found no room.
    pub(crate) forgotten: u64,
    /// How long a probe may go unanswered.
    pub(crate) silence: Duration,
    /// Not overdue yet.
    fresh: VecDeque<Packet>,
    /// Overdue, and not silent yet.
    awaited: VecDeque<Packet>,
    excuses: u64,
    /// Until when a probe may be excused: later ones were sent after the loss.
    excused_until: Time,
    /// The minute since the origin in which what is too old was last forgotten.
    swept: u64,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    at: Time,
    address: IpAddr,
    service: Service,
}

/// One step in the life of a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    /// When it was known.
    pub(crate) at: Time,
    /// When the packet passed that shows it: of an answer that did not come, the probe.
    pub(crate) passed_at: Time,
    pub(crate) address: IpAddr,
    pub(crate) service: Service,
    /// How it is probed, when a record told it.
    pub(crate) technique: Option<Technique>,
    pub(crate) fate: Fate,
}

/// What became of a probe.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    /// It was sent.
    Sent(NewPorts),
    /// Nothing has come of it for longer than a host of the cluster takes to answer.
    Overdue,
    /// An answer.
    Answered,
    /// A refusal, or silence.
    Failed {
        outcome: Outcome,
        /// The service had not failed before, and never answered.
        new: bool,
        /// The service has answered before: nobody scans what he knows.
        known: bool,
        /// Failed ports of the destination by now.
        ports: PerHorizon,
    },
}

impl Probes {
    /// Takes in an observation, and leaves its steps in [`Self::steps`].
    pub(crate) fn observe(
        &mut self,
        observation: &Observation,
        now: Time,
        silence: Duration,
        declared: [&Declared; 2],
    ) {
        self.steps.clear();
        self.forgotten = 0;
        self.silence = silence;
        let dropped = observation.count(Count::RecordsDropped);
        if dropped > 0 {
            self.excuses = self.excuses.saturating_add(dropped);
            self.excused_until = now + silence;
        }
        for contact in &observation.contacts {
            self.fall_due(silence, |deadline| deadline < contact.at);
            self.record(contact, declared);
        }
        self.fall_due(silence, |deadline| deadline <= now);
        if self.excused_until <= now {
            self.excuses = 0;
        }
        // What does not wait cannot have been answered.
        let waiting = self.fresh.len() + self.awaited.len();
        self.excuses = self.excuses.min(waiting as u64);
        self.forgotten += self.destinations.take_forgotten();
    }

    /// Forgets once a minute what neither a window needs nor anybody who looks back to `start`.
    pub(crate) fn sweep(&mut self, start: Time, now: Time, silence: Duration) {
        let minute = now.nanoseconds() / 60_000_000_000;
        if minute == self.swept {
            return;
        }
        self.swept = minute;
        let needed = now - (reach(HORIZONS.len() - 1) + silence);
        self.destinations.sweep(start.min(needed), now);
    }

    /// What failed so far counts no more.
    pub(crate) fn spend(&mut self) {
        self.destinations.spend();
    }

    fn record(&mut self, contact: &Contact, declared: [&Declared; 2]) {
        let &Contact {
            at,
            pod,
            peer: address,
            transport,
            port,
            outcome,
            ..
        } = contact;
        let service = Service { transport, port };
        let packet = Packet {
            at,
            address,
            service,
        };
        match outcome {
            Told::Sent(technique) => {
                let mut declared = declared.iter();
                let is_declared = declared.any(|it| it.contains(address, transport, port));
                let sent = self
                    .destinations
                    .send(address, service, at, technique, is_declared);
                let (first, new) = sent;
                self.step(packet, at, Some(technique), Fate::Sent(new));
                if first {
                    self.wait_for(packet);
                }
            }
            Told::Answered => {
                if !self.believes(contact, service, Outcome::Answered) {
                    return;
                }
                self.reached(pod);
                let settle = |destination: &mut Destination| {
                    destination.settle(service, at, Outcome::Answered)
                };
                self.destinations.reach(address, service, at, settle);
                self.step(packet, at, None, Fate::Answered);
            }
            Told::Refused => {
                if !self.believes(contact, service, Outcome::Refused) {
                    return;
                }
                self.reached(pod);
                self.fail(packet, at, Outcome::Refused);
            }
        }
    }

    /// Who asks whether an address is free has none yet.
    const fn reached(&mut self, pod: IpAddr) {
        if !pod.is_unspecified() {
            self.pod = Some(pod);
        }
    }

    /// An outcome without a probe is somebody else's doing, who may want to accuse or to cover up;
    /// unless the record of the probe may have been lost.
    fn believes(&self, contact: &Contact, service: Service, outcome: Outcome) -> bool {
        contact.at <= self.excused_until
            || self.destinations.expects(contact.peer, service, outcome)
    }

    fn wait_for(&mut self, sent: Packet) {
        if self.fresh.len() + self.awaited.len() == AWAITED
            && let Some(oldest) = self.awaited.pop_front().or_else(|| self.fresh.pop_front())
            && let Some(destination) = self.destinations.find(oldest.address)
        {
            self.forgotten += u64::from(destination.give_up(oldest.service, oldest.at));
        }
        self.fresh.push_back(sent);
    }

    /// Judges what is due of the probes that wait, the earliest first.
    fn fall_due(&mut self, silence: Duration, due: impl Fn(Time) -> bool) {
        let grace = OVERDUE.min(silence);
        loop {
            let deadline = |queue: &VecDeque<Packet>, after| {
                let deadline = queue.front().map(|sent| sent.at + after);
                deadline.filter(|&at| due(at))
            };
            match (
                deadline(&self.fresh, grace),
                deadline(&self.awaited, silence),
            ) {
                (Some(overdue), silent) if silent.is_none_or(|silent| overdue <= silent) => {
                    self.fall_overdue(overdue, silence);
                }
                (_, Some(silent)) => self.fall_silent(silent),
                (_, None) => break,
            }
        }
    }

    fn fall_overdue(&mut self, at: Time, silence: Duration) {
        let Some(sent) = self.fresh.pop_front() else {
            return;
        };
        let Some(destination) = self.destinations.find(sent.address) else {
            return;
        };
        // Most have an outcome by now, and need no second look.
        if destination.has_settled(sent.service, sent.at) {
            return;
        }
        let excused = self.excuses > 0 && sent.at + silence <= self.excused_until;
        if !excused && destination.awaits(sent.service, sent.at) {
            let technique = destination.technique(sent.service);
            self.step(sent, at, technique, Fate::Overdue);
        }
        self.awaited.push_back(sent);
    }

    fn fall_silent(&mut self, at: Time) {
        let Some(sent) = self.awaited.pop_front() else {
            return;
        };
        let destination = self.destinations.find(sent.address);
        if !destination.is_some_and(|it| it.give_up(sent.service, sent.at)) {
            return;
        }
        if self.excuses > 0 && at <= self.excused_until {
            self.excuses -= 1;
            return;
        }
        let outcome = match sent.service.transport {
            Transport::Udp => Outcome::Unanswered,
            _ => Outcome::Silent,
        };
        self.fail(sent, at, outcome);
    }

    /// `packet` shows that its service failed, as is known `at` some time.
    fn fail(&mut self, packet: Packet, at: Time, outcome: Outcome) {
        let Packet {
            address, service, ..
        } = packet;
        let settle = |destination: &mut Destination| {
            let fate = Fate::Failed {
                outcome,
                new: destination.settle(service, at, outcome),
                known: destination.is_known(service),
                ports: destination.failed(at),
            };
            (destination.technique(service), fate)
        };
        let (technique, fate) = self.destinations.reach(address, service, at, settle);
        self.step(packet, at, technique, fate);
    }

    fn step(&mut self, packet: Packet, at: Time, technique: Option<Technique>, fate: Fate) {
        self.steps.push(Step {
            at,
            passed_at: packet.at,
            address: packet.address,
            service: packet.service,
            technique,
            fate,
        });
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let waiting = self.fresh.capacity() + self.awaited.capacity();
        self.destinations.heap_bytes() + waiting * size_of::<Packet>()
    }
}
