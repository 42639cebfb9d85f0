//! Reads a slot out, so that every bit and count is taken once: by this drain or by the next.

use std::sync::atomic::{
    AtomicU64,
    Ordering::{AcqRel, Relaxed},
};

use agent_common::{Direction, PROTOCOL_WORDS, Slot};
use detect::{
    Class, Count, Hosts, Observation, ParseFailure, Sketch, Subject, Time, Volume, VolumeClass,
};

use super::{budgets::Budgets, cache::Cache, heard, kinds, known::Known, records::Received};

/// Classes that enter the ports of TCP; a tiny fragment may be of any transport.
const OVER_TCP: &[Class] = &[
    Class::Syn,
    Class::Null,
    Class::Fin,
    Class::Xmas,
    Class::OddFlags,
    Class::StrayAck,
    Class::StrayFin,
    Class::StraySynAck,
    Class::TinyFragment,
];
/// Classes that enter those of UDP and SCTP.
const OVER_UDP: &[Class] = &[
    Class::Udp,
    Class::SctpInit,
    Class::SctpCookieEcho,
    Class::TinyFragment,
];

/// Words of a cache line.
const LINE: usize = 8;

/// What user space remembers of a slot from drain to drain.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) budgets: Budgets,
    pub(super) tcp: Known,
    pub(super) udp: Known,
    cache: Cache,
    reply_filter_percent: u32,
    counts: [u64; Count::ALL.len()],
    unparsed: [u64; ParseFailure::ALL.len()],
    crossed: Crossed,
}

/// Estimated packets, since the interface is watched.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Crossed {
    /// Of TCP, that the pod sent.
    pub tcp_sent: u64,
    /// Of whatever kind, to the pod.
    pub received: u64,
}

/// What is known of a watched interface. Counts are since it is watched.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Report {
    /// Which one.
    pub subject: Subject,
    /// Distinct ports the pod initiated to within the last minute, over TCP, and over UDP or SCTP.
    pub distinct_ports: u32,
    /// Packets, by [`Count`].
    pub counts: [u64; Count::ALL.len()],
    /// Packets that could not be parsed, by [`ParseFailure`].
    pub unparsed: [u64; ParseFailure::ALL.len()],
    /// See [`Observation::reply_filter_percent`].
    pub reply_filter_percent: u32,
    /// Packets each way.
    pub crossed: Crossed,
}

impl Tally {
    /// That of a slot that was just reset.
    pub(super) fn fresh() -> Self {
        Self {
            budgets: Budgets::fresh(),
            ..Self::default()
        }
    }

    pub(super) fn drain(
        &mut self,
        slot: &Slot,
        subject: Subject,
        received: Received,
        sample_rate: u32,
        now: Time,
    ) -> Observation {
        self.budgets.drained(slot);
        // The programs enter a packet into the sets and then count it. So what is counted here is in
        // them by now, and where nothing is counted there is nothing to look for.
        let counts = Count::ALL.map(|it| take(&slot.counters[kinds::counter(it) as usize]));
        let counted = |it: Count| counts[it as usize] > 0;
        // Before what was tried: what refuses was tried earlier, so it is in one of those sets by this
        // drain or was by an earlier one.
        let refused = take_bits_if(counted(Count::Refused), &slot.refused.words);
        let refusing = take_bits_if(counted(Count::Refusing), &slot.refusing.words);
        let initiated =
            Class::ALL.map(|it| take(&slot.initiated_packets[kinds::class(it) as usize]));
        let initiates = |classes: &[Class]| classes.iter().any(|&it| initiated[it as usize] > 0);
        let tcp_ports = take_bits_if(initiates(OVER_TCP), &slot.tcp.fresh.words);
        let udp_ports = take_bits_if(initiates(OVER_UDP), &slot.udp.fresh.words);
        let contained = is_contained(slot, now);
        self.tcp.age(&slot.tcp, &tcp_ports, contained, now);
        self.udp.age(&slot.udp, &udp_ports, contained, now);
        self.cache.age(&slot.contacts, now);
        for cell in [&slot.records, &slot.samples] {
            cell.store(0, Relaxed);
        }
        let unparsed = ParseFailure::ALL
            .map(|it| take(&slot.parse_failures[kinds::parse_failure(it) as usize]));
        add(&mut self.counts, &counts);
        add(&mut self.unparsed, &unparsed);
        let sent = take_volume(slot, Direction::FromPod);
        let to_pod = take_volume(slot, Direction::ToPod);
        self.crossed.tcp_sent += sent[VolumeClass::Tcp as usize].packets;
        self.crossed.received += to_pod.iter().map(|it| it.packets).sum::<u64>();
        Observation {
            subject,
            tcp_ports,
            udp_ports,
            protocols: take_protocols(&slot.protocols.fresh),
            refused,
            probed: take_bits_if(counted(Count::Probes), &slot.probed.words),
            refusing,
            hosts: Hosts {
                contacted: take_sketch_if(initiates(&Class::ALL), &slot.hosts.contacted),
                answered: take_sketch_if(counted(Count::Answered), &slot.hosts.answered),
                refused: take_sketch_if(counted(Count::Refused), &slot.hosts.refused),
                probing: take_sketch_if(counted(Count::Probes), &slot.hosts.probing),
            },
            initiated,
            counts,
            unparsed,
            contacts: received.contacts,
            samples: received.samples,
            tripped: received.tripped,
            sent,
            received: to_pod,
            sample_rate,
            reply_filter_percent: self.reply_filter_percent,
        }
    }

    /// A turn is over.
    pub(super) fn turn(&mut self, slot: &Slot, now: Time) {
        self.reply_filter_percent = heard::fill_percent(slot);
        heard::turn(slot);
        if !is_contained(slot, now) {
            // A packet that passes at this moment is in the fresh set, and new once more at the next.
            for word in &slot.protocols.window {
                word.store(0, Relaxed);
            }
        }
    }

    pub(super) fn report(&self, subject: Subject) -> Report {
        Report {
            subject,
            distinct_ports: self.tcp.len().saturating_add(self.udp.len()),
            counts: self.counts,
            unparsed: self.unparsed,
            reply_filter_percent: self.reply_filter_percent,
            crossed: self.crossed,
        }
    }
}

/// As the programs decide it.
fn is_contained(slot: &Slot, now: Time) -> bool {
    now.nanoseconds() < slot.lease_ns.load(Relaxed)
}

fn add(totals: &mut [u64], counts: &[u64]) {
    for (total, count) in totals.iter_mut().zip(counts) {
        *total += count;
    }
}

fn take(cell: &AtomicU64) -> u64 {
    if cell.load(Relaxed) == 0 {
        0
    } else {
        cell.swap(0, AcqRel)
    }
}

/// Swaps every word for zero; the numbers of the bits in it, ascending.
fn take_bits(words: &[AtomicU64]) -> Vec<u16> {
    let mut numbers = Vec::new();
    // A cache line at a time: most have nothing.
    for (line, words) in words.chunks(LINE).enumerate() {
        if words.iter().fold(0, |all, word| all | word.load(Relaxed)) == 0 {
            continue;
        }
        for (index, word) in words.iter().enumerate() {
            let mut bits = take(word);
            while bits != 0 {
                let first = (line * LINE + index) * 64;
                numbers.push(first as u16 + bits.trailing_zeros() as u16);
                bits &= bits - 1;
            }
        }
    }
    numbers
}

fn take_bits_if(any: bool, words: &[AtomicU64]) -> Vec<u16> {
    if any { take_bits(words) } else { Vec::new() }
}

fn take_protocols(words: &[AtomicU64; PROTOCOL_WORDS]) -> Vec<u8> {
    let numbers = take_bits(words).into_iter();
    numbers.map(|number| number as u8).collect()
}

fn take_sketch_if(any: bool, words: &[AtomicU64; Sketch::WORDS]) -> Sketch {
    if any {
        Sketch::from_words(std::array::from_fn(|index| take(&words[index])))
    } else {
        Sketch::default()
    }
}

fn take_volume(slot: &Slot, direction: Direction) -> [Volume; VolumeClass::ALL.len()] {
    VolumeClass::ALL.map(|class| {
        let volume = &slot.volume[direction as usize][kinds::volume(class) as usize];
        Volume {
            packets: take(&volume.packets),
            bytes: take(&volume.bytes),
        }
    })
}
