//! The ring buffer's records, sorted by slot until their slot is drained.

use std::{
    net::{IpAddr, Ipv6Addr},
    ops::Deref,
};

use agent_common::{Record, RecordKind};
use aya::maps::{MapData, RingBuf};
use detect::{Contact, Outcome, Subject, Technique, Time};
use hashbrown::HashMap;

/// Records that wait for the drain of their slot.
///
/// Bounded by the cap that the programs keep for each slot between two drains.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    slots: HashMap<u32, Received>,
    /// Records of a slot that is not, or no longer, of the epoch they name.
    pub(super) stray: u64,
}

/// What was received for one slot.
#[derive(Debug, Default)]
pub(super) struct Received {
    epoch: u32,
    /// In time order.
    pub(super) contacts: Vec<Contact>,
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

    pub(super) fn receive(&mut self, ring: &mut RingBuf<MapData>) {
        while let Some(item) = ring.next() {
            let Some(record) = read(item.deref()) else {
                self.stray += 1;
                continue;
            };
            self.sort(&record);
        }
    }

    fn sort(&mut self, record: &Record) {
        let received = self
            .slots
            .get_mut(&record.slot)
            .filter(|it| it.epoch == record.epoch);
        let (Some(received), Some(kind)) = (received, RecordKind::from_byte(record.kind)) else {
            self.stray += 1;
            return;
        };
        let at = Time::from_nanoseconds(record.time_ns);
        let outcome = match kind {
            RecordKind::Contact => Outcome::Sent(technique(record.tcp_flags, record.tcp_words)),
            RecordKind::Answer => Outcome::Answered,
            RecordKind::Refusal => Outcome::Refused,
            RecordKind::Trip => {
                received.tripped.get_or_insert(at);
                return;
            }
        };
        let contact = Contact {
            at,
            pod: address(record.pod),
            peer: address(record.peer),
            port: record.port,
            outcome,
        };
        received.contacts.push(contact);
    }
}

pub(super) fn read(bytes: &[u8]) -> Option<Record> {
    let bytes: &[u8; size_of::<Record>()] = bytes.try_into().ok()?;
    Some(Record::from_bytes(bytes))
}

fn address(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

const FIN: u8 = 0x01;
const SYN: u8 = 0x02;
const PSH: u8 = 0x08;
const URG: u8 = 0x20;
/// Congestion bits, which do not tell techniques apart.
const ECE_CWR: u8 = 0xc0;
/// Operating systems send at least MSS, window scale and SACK-permitted: 12 bytes of options.
const CONNECT_WORDS: u8 = 8;

/// How a port is probed, from the packet's flags and the length of its options.
fn technique(flags: u8, words: u8) -> Technique {
    match flags & !ECE_CWR {
        SYN if words >= CONNECT_WORDS => Technique::Connect,
        SYN => Technique::Syn,
        0 => Technique::Null,
        FIN => Technique::Fin,
        f if f == FIN | PSH | URG => Technique::Xmas,
        _ => Technique::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_are_told_from_flags_and_options() {
        let cases = [
            (0x02, 10, Technique::Connect),
            (0xc2, 10, Technique::Connect),
            (0x02, 6, Technique::Syn),
            (0x00, 5, Technique::Null),
            (0x01, 5, Technique::Fin),
            (0x29, 5, Technique::Xmas),
            (0x03, 5, Technique::Other),
        ];
        for (flags, words, expected) in cases {
            assert_eq!(
                technique(flags, words),
                expected,
                "flags {flags:#x}, {words} words"
            );
        }
    }

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
