//! Turns the records of a pod into outcomes of its probes, one by one in the order of time.

use std::{collections::VecDeque, net::IpAddr};

use super::{
    Thresholds,
    destination::{Destination, Outcome},
    destinations::Destinations,
    window::{PerHorizon, left, reached},
};
use crate::{Contact, Count, Observation, Outcome as Told, Time, Transport};

/// Probes that may await an answer at a time; the oldest makes room for another.
pub(super) const AWAITED: usize = 8192;

/// What the records of a pod tell of its probes.
///
/// Silence is the lack of a record, and records can be lost. Each lost record may have been an
/// answer, so each excuses one probe that seems silent: no destination is accused by a loss.
#[derive(Clone, Debug, Default)]
pub(super) struct Evidence {
    pub(super) destinations: Destinations,
    /// The pod's address in the latest answer or refusal, which found its way to the pod. The source of
    /// a probe proves nothing.
    pub(super) pod: Option<IpAddr>,
    awaited: VecDeque<Packet>,
    excuses: u64,
    /// Until when a probe may be excused: later ones were sent after the loss.
    excused_until: Time,
}

#[derive(Clone, Copy, Debug)]
struct Packet {
    at: Time,
    address: IpAddr,
    port: u16,
}

/// What one observation added to the evidence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// The first time that a destination crossed a threshold for failed ports.
    pub(super) crossing: Option<Crossing>,
    /// When a port last failed that had not failed before.
    pub(super) failed_at: Option<Time>,
    /// When the packet of that failure passed: the refusal, or the probe without an answer.
    pub(super) failure_passed_at: Option<Time>,
    /// When the last probe passed.
    pub(super) sent_at: Option<Time>,
    /// Probes that found no room.
    pub(super) forgotten: u64,
}

/// A destination crossed a threshold for failed ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) at: Time,
    pub(super) address: IpAddr,
    /// Index of the horizon.
    pub(super) horizon: usize,
}

impl Evidence {
    pub(super) fn take_in(
        &mut self,
        observation: &Observation,
        now: Time,
        thresholds: &Thresholds,
    ) -> News {
        let mut news = News::default();
        let dropped = observation.count(Count::RecordsDropped);
        if dropped > 0 {
            self.excuses = self.excuses.saturating_add(dropped);
            self.excused_until = now + thresholds.silence;
        }
        let contacts = observation.contacts.iter();
        for contact in contacts.filter(|contact| contact.transport == Transport::Tcp) {
            self.fall_silent(thresholds, &mut news, |deadline| deadline < contact.at);
            self.record(contact, thresholds, &mut news);
        }
        self.fall_silent(thresholds, &mut news, |deadline| deadline <= now);
        if self.excused_until <= now {
            self.excuses = 0;
        }
        news.forgotten += self.destinations.take_forgotten();
        news
    }

    fn record(&mut self, contact: &Contact, thresholds: &Thresholds, news: &mut News) {
        let &Contact {
            at,
            pod,
            peer,
            port,
            outcome,
            ..
        } = contact;
        match outcome {
            Told::Sent(technique) => {
                news.sent_at = Some(at);
                let sent = |destination: &mut Destination| destination.send(port, technique);
                if self.destinations.reach(peer, port, at, sent) {
                    news.forgotten += self.wait_for(Packet {
                        at,
                        address: peer,
                        port,
                    });
                }
            }
            Told::Answered => {
                if !self.believes(contact, Outcome::Answered) {
                    return;
                }
                self.pod = Some(pod);
                let settle =
                    |destination: &mut Destination| destination.settle(port, at, Outcome::Answered);
                self.destinations.reach(peer, port, at, settle);
            }
            Told::Refused => {
                if !self.believes(contact, Outcome::Refused) {
                    return;
                }
                self.pod = Some(pod);
                let refused = Packet {
                    at,
                    address: peer,
                    port,
                };
                self.fail(refused, at, Outcome::Refused, thresholds, news);
            }
        }
    }

    /// An outcome without a probe is somebody else's doing, who may want to accuse or to cover up;
    /// unless the record of the probe may have been lost.
    fn believes(&self, contact: &Contact, outcome: Outcome) -> bool {
        contact.at <= self.excused_until
            || self
                .destinations
                .expects(contact.peer, contact.port, outcome)
    }

    /// How many probes it forgets to make room.
    fn wait_for(&mut self, sent: Packet) -> u64 {
        let mut forgotten = 0;
        if self.awaited.len() == AWAITED
            && let Some(oldest) = self.awaited.pop_front()
            && let Some(destination) = self.destinations.find(oldest.address)
        {
            forgotten = u64::from(destination.give_up(oldest.port, oldest.at));
        }
        self.awaited.push_back(sent);
        forgotten
    }

    fn fall_silent(
        &mut self,
        thresholds: &Thresholds,
        news: &mut News,
        due: impl Fn(Time) -> bool,
    ) {
        while let Some(&sent) = self.awaited.front()
            && due(sent.at + thresholds.silence)
        {
            self.awaited.pop_front();
            let deadline = sent.at + thresholds.silence;
            let destination = self.destinations.find(sent.address);
            if !destination.is_some_and(|destination| destination.give_up(sent.port, sent.at)) {
                continue;
            }
            if self.excuses > 0 && deadline <= self.excused_until {
                self.excuses -= 1;
                continue;
            }
            self.fail(sent, deadline, Outcome::Silent, thresholds, news);
        }
    }

    /// `packet` shows that its port failed, as is known `at` some time.
    fn fail(
        &mut self,
        packet: Packet,
        at: Time,
        outcome: Outcome,
        thresholds: &Thresholds,
        news: &mut News,
    ) {
        let Packet { address, port, .. } = packet;
        let (news_of_port, crossing) = self.destinations.reach(address, port, at, |destination| {
            let new = destination.settle(port, at, outcome);
            let reached = reached(destination.failed(at), thresholds.failed_ports());
            let crossing = reached.filter(|_| !destination.crossed);
            destination.crossed |= crossing.is_some();
            (new, crossing)
        });
        if news_of_port {
            news.failed_at = Some(at);
            news.failure_passed_at = Some(packet.at);
        }
        if let Some(horizon) = crossing {
            news.crossing.get_or_insert(Crossing {
                at,
                address,
                horizon,
            });
        }
    }

    /// New ports to refuse until a destination crosses a threshold.
    pub(super) fn failures_left(&self, now: Time, limits: PerHorizon) -> u32 {
        left(self.destinations.most_failed(now), limits)
    }

    /// Bytes it takes now, itself not counted.
    #[cfg(test)]
    pub(super) fn heap_bytes(&self) -> usize {
        self.destinations.heap_bytes() + self.awaited.capacity() * size_of::<Packet>()
    }
}
