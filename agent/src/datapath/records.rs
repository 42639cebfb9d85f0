//! The records of the programs, sorted by slot until their slot is drained.

use std::net::{IpAddr, Ipv6Addr};

use agent_common::{Class, Record, RecordKind, Transport};
use detect::{Contact, Outcome, Sample, Subject, Time};
use hashbrown::HashMap;

use super::{kinds, ring::Ring};

/// Records and samples that wait for the drain of their slot.
///
/// Bounded by the cap that the programs keep for each slot between two drains.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    slots: HashMap<u32, Received>,
    /// Records and samples of a slot that is not, or no longer, of the epoch they name.
    pub(super) stray: u64,
}

/// What was received for one slot.
#[derive(Debug, Default)]
pub(super) struct Received {
    epoch: u32,
    /// In time order.
    pub(super) contacts: Vec<Contact>,
    /// In time order.
    pub(super) samples: Vec<Sample>,
    /// The first packet that spent a budget.
    pub(super) tripped: Option<Time>,
}

impl Inbox {
    pub(super) fn open(&mut self, slot: u32, subject: Subject) {
        self.slots.insert(
            slot,
            Received {
                epoch: subject.epoch,
                ..Received::default()
            },
        );
    }

    pub(super) fn close(&mut self, slot: u32) -> Received {
        self.slots.remove(&slot).unwrap_or_default()
    }

    pub(super) fn tripped(&self, slot: u32) -> bool {
        self.slots
            .get(&slot)
            .is_some_and(|received| received.tripped.is_some())
    }

    /// Takes what was received, in time order.
    pub(super) fn take(&mut self, slot: u32) -> Received {
        let Some(received) = self.slots.get_mut(&slot) else {
            return Received::default();
        };
        let next = Received {
            epoch: received.epoch,
            ..Received::default()
        };
        std::mem::replace(received, next)
    }

    pub(super) fn receive(&mut self, ring: &mut Ring) {
        self.receive_as(ring, |record| record);
    }

    /// Takes them in as if their packets had passed at `at`.
    pub(super) fn receive_at(&mut self, ring: &mut Ring, at: Time) {
        self.receive_as(ring, |record| Record {
            time_ns: at.nanoseconds(),
            ..record
        });
    }

    pub(super) fn receive_as(&mut self, ring: &mut Ring, told: impl Fn(Record) -> Record) {
        while let Some(record) = ring.next() {
            self.sort(&told(record));
        }
    }

    /// What was received for a slot, unless it is of another epoch by now.
    pub(super) fn received(&mut self, slot: u32, epoch: u32) -> Option<&mut Received> {
        let received = self.slots.get_mut(&slot);
        received.filter(|received| received.epoch == epoch)
    }

    fn sort(&mut self, record: &Record) {
        let received = self.received(record.slot, record.epoch);
        let (Some(received), Some(told)) = (received, tell(record)) else {
            self.stray += 1;
            return;
        };
        match told {
            Told::Contact(contact) => received.contacts.push(contact),
            Told::Trip(at) => {
                received.tripped.get_or_insert(at);
            }
        }
    }
}

enum Told {
    Contact(Contact),
    Trip(Time),
}

/// None when it is of no kind that there is.
fn tell(record: &Record) -> Option<Told> {
    let at = Time::from_nanoseconds(record.time_ns);
    let outcome = match RecordKind::from_byte(record.kind)? {
        RecordKind::Contact => {
            let class = Class::from_byte(record.class)?;
            Outcome::Sent(kinds::technique(class, record.tcp_words))
        }
        RecordKind::Answer => Outcome::Answered,
        RecordKind::Refusal => Outcome::Refused,
        RecordKind::Trip => return Some(Told::Trip(at)),
    };
    Some(Told::Contact(Contact {
        at,
        pod: address(record.pod),
        peer: address(record.peer),
        transport: kinds::transport(Transport::from_byte(record.transport)?),
        port: record.port,
        outcome,
        spoofed: record.spoofed != 0,
        contained: record.contained != 0,
    }))
}

pub(super) fn address(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_another_epoch_are_stray() {
        let mut inbox = Inbox::default();
        inbox.open(
            3,
            Subject {
                ifindex: 9,
                epoch: 2,
            },
        );
        let mut record = Record::from_bytes(&[0; 64]);
        record.kind = RecordKind::Trip as u8;
        record.slot = 3;
        for (epoch, tripped, stray) in [(1, false, 1), (2, true, 1)] {
            record.epoch = epoch;
            inbox.sort(&record);
            assert_eq!(
                (inbox.tripped(3), inbox.stray),
                (tripped, stray),
                "epoch {epoch}"
            );
        }
    }

    #[test]
    fn mapped_addresses_are_read_as_ipv4() {
        let mut record = Record::from_bytes(&[0; 64]);
        record.kind = RecordKind::Refusal as u8;
        record.peer = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 244, 147, 93];
        let mut inbox = Inbox::default();
        inbox.open(
            0,
            Subject {
                ifindex: 1,
                epoch: 0,
            },
        );
        inbox.sort(&record);
        let received = inbox.take(0);
        assert_eq!(received.contacts[0].peer, IpAddr::from([10, 244, 147, 93]));
        assert!(inbox.take(0).contacts.is_empty(), "taken once");
    }
}
