//! Reads a slot out, so that every bit and count is taken once: by this drain or by the next.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

use agent_common::{Counter, Direction, PORT_WORDS, PortSet, Slot};
use detect::{Budget, Observation, Subject, Time, Volume};

use super::{cache::Cache, known::Known, records::Received};

/// What user space remembers of a slot from drain to drain.
#[derive(Debug, Default)]
pub(super) struct Tally {
    initiated: Known,
    cache: Cache,
    records_dropped: u64,
    parse_failures: u64,
}

/// What is known of a watched interface.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Report {
    /// Which one.
    pub subject: Subject,
    /// Distinct ports the pod initiated to within the last minute.
    pub distinct_ports: u32,
    /// Records that found no room, since it is watched.
    pub records_dropped: u64,
    /// Packets that could not be parsed, since it is watched.
    pub parse_failures: u64,
}

impl Tally {
    pub(super) fn drain(
        &mut self,
        slot: &Slot,
        subject: Subject,
        received: Received,
        sample_rate: u32,
        now: Time,
    ) -> Observation {
        let ports = take_ports(&slot.tcp.fresh);
        let refused = take_ports(&slot.refused);
        self.initiated.age(&slot.tcp, &ports, now);
        self.cache.age(&slot.contacts, now);
        slot.records.store(0, Relaxed);
        let records_dropped = take(&slot.counters[Counter::RecordsDropped as usize]);
        let parse_failures = slot.parse_failures.iter().map(take).sum();
        self.records_dropped += records_dropped;
        self.parse_failures += parse_failures;
        let [sent, received_volume] = [Direction::FromPod, Direction::ToPod].map(|direction| {
            let classes = &slot.volume[direction as usize];
            Volume {
                packets: classes.iter().map(|it| take(&it.packets)).sum(),
                bytes: classes.iter().map(|it| take(&it.bytes)).sum(),
            }
        });
        Observation {
            subject,
            ports,
            refused,
            contacts: received.contacts,
            tripped: received.tripped,
            sent,
            received: received_volume,
            initiating_packets: slot.initiated_packets.iter().map(take).sum(),
            records_dropped,
            parse_failures,
            sample_rate,
        }
    }

    pub(super) fn report(&self, subject: Subject) -> Report {
        Report {
            subject,
            distinct_ports: self.initiated.len(),
            records_dropped: self.records_dropped,
            parse_failures: self.parse_failures,
        }
    }
}

/// Prepares a slot for its next interface. The programs do not see it meanwhile.
pub(super) fn reset(slot: &Slot, subject: Subject) {
    slot.ifindex.store(u64::from(subject.ifindex), Relaxed);
    slot.epoch.store(u64::from(subject.epoch), Relaxed);
    slot.budget.store(i64::MAX, Relaxed);
    slot.refusal_budget.store(i64::MAX, Relaxed);
    let sets = [&slot.tcp, &slot.udp]
        .into_iter()
        .flat_map(|it| [&it.fresh, &it.window])
        .chain([&slot.refused, &slot.probed, &slot.refusing]);
    let words = sets.flat_map(|set| &set.words);
    let volume = slot
        .volume
        .iter()
        .flatten()
        .flat_map(|it| [&it.packets, &it.bytes]);
    let cells = words
        .chain(volume)
        .chain(&slot.counters)
        .chain(&slot.initiated_packets)
        .chain(&slot.parse_failures);
    for cell in cells.chain(&slot.contacts).chain([&slot.records]) {
        cell.store(0, Relaxed);
    }
}

pub(super) fn set_budget(slot: &Slot, budget: Budget) {
    slot.budget.store(i64::from(budget.ports), Relaxed);
    slot.refusal_budget
        .store(i64::from(budget.refused), Relaxed);
}

fn take(cell: &AtomicU64) -> u64 {
    if cell.load(Relaxed) == 0 {
        0
    } else {
        cell.swap(0, AcqRel)
    }
}

/// Swaps every word for zero; the ports in it, ascending.
fn take_ports(set: &PortSet) -> Vec<u16> {
    let mut ports = Vec::new();
    for (index, word) in (0..PORT_WORDS).zip(&set.words) {
        let mut bits = take(word);
        while bits != 0 {
            ports.push((index * 64) as u16 + bits.trailing_zeros() as u16);
            bits &= bits - 1;
        }
    }
    ports
}
