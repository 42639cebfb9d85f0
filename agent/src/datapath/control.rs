//! What the datapath is told while it runs.

use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::atomic::Ordering::{AcqRel, Acquire, Release},
    time::Duration,
};

use detect::{Budget, Subject, Time, Transport};

use super::{Datapath, sources};

impl Datapath {
    /// Lets this much pass from the subject's last drain on before [`Self::tripped`] returns.
    pub fn set_budget(&mut self, subject: Subject, budget: Budget) {
        let watched = self.watched.get_mut(&subject.ifindex);
        if let Some(watched) = watched.filter(|it| it.subject == subject) {
            let slot = self.slots.slot(watched.slot);
            watched.tally.budgets.renew(slot, budget);
        }
    }

    /// Until `until`, the subject's packets pass only to ports that it has used of late; those to others
    /// are dropped, counted and told. Connections it has go on. What it has used is not forgotten
    /// meanwhile.
    pub fn contain(&self, subject: Subject, until: Time) {
        if let Some(slot) = self.slot(subject) {
            slot.lease_ns.store(until.nanoseconds(), Release);
        }
    }

    /// Lets the programs know a port as one that the subject uses, so that it passes when it is contained.
    pub fn know(&mut self, subject: Subject, transport: Transport, port: u16) {
        let watched = self.watched.get_mut(&subject.ifindex);
        let Some(watched) = watched.filter(|it| it.subject == subject) else {
            return;
        };
        let slot = self.slots.slot(watched.slot);
        match transport {
            Transport::Tcp => watched.tally.tcp.know(&slot.tcp, port),
            Transport::Udp | Transport::Sctp => watched.tally.udp.know(&slot.udp, port),
            Transport::Icmp | Transport::Protocol | Transport::Neighbour => {}
        }
    }

    /// From now on a trip contains the subject at once, as far as [`Self::allow_holds`] lets it, and for so long at
    /// most: until [`Self::let_go`]. So it passes no new port while it is judged. Zero for a trip that only wakes.
    pub fn arm(&self, subject: Subject, hold: Duration) {
        if let Some(slot) = self.slot(subject) {
            let hold = Time::default() + hold;
            slot.hold_ns.store(hold.nanoseconds(), Release);
        }
    }

    /// Lets trips hold so many subjects at a time, those that are held by one now among them.
    pub fn allow_holds(&self, most: usize, now: Time) {
        // None begins while it is counted.
        self.settings.set_holds(0);
        let assigned = self.slots.assigned();
        let held = assigned.filter(|(slot, _)| {
            let until_ns = self.slots.slot(*slot).held_until_ns.load(Acquire);
            until_ns > now.nanoseconds()
        });
        let left = most.saturating_sub(held.count());
        self.settings
            .set_holds(i64::try_from(left).unwrap_or(i64::MAX));
    }

    /// The subject's trip is judged: only a lease contains it from now on. Whether the trip did.
    pub fn let_go(&self, subject: Subject) -> bool {
        let slot = self.slot(subject);
        slot.is_some_and(|slot| slot.held_until_ns.swap(0, AcqRel) != 0)
    }

    /// Until when each slot is contained that is, also one of an interface that is not watched again yet.
    #[must_use]
    pub fn leases(&self) -> BTreeMap<Subject, Time> {
        let assigned = self.slots.assigned();
        let leases = assigned.map(|(slot, subject)| {
            let lease_ns = self.slots.slot(slot).lease_ns.load(Acquire);
            (subject, Time::from_nanoseconds(lease_ns))
        });
        leases
            .filter(|(_, until)| *until != Time::default())
            .collect()
    }

    /// Lets the subject's packets pass again.
    pub fn release(&self, subject: Subject) {
        self.contain(subject, Time::default());
    }

    /// What counts as the subject's own addresses, so that others are told as spoofed. Of a family with
    /// none of them, or with more than there is room for, no source is.
    pub fn set_addresses(&self, subject: Subject, addresses: &[IpAddr]) {
        if let Some(slot) = self.slot(subject) {
            sources::set(slot, addresses);
        }
    }

    /// Estimates volume from one packet in this many from now on.
    pub fn set_sample_rate(&mut self, rate: u32) {
        self.sample_rate = rate;
        self.settings.set_sample_rate(rate);
        self.skip.clear();
    }
}
