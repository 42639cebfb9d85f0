//! The records of contacts, outcomes and trips, each reported once in a while.
#![expect(unsafe_code, reason = "kernel helpers")]

use agent_common::{
    ANSWERED, CONTACTED, Counter, REFUSED, REPORTED_MASK, RING_ROOM, Record, RecordKind, Transport,
    contact_entry, endpoint_hash, ring_index, ring_sequence,
};
use aya_ebpf::{
    bindings::BPF_RB_FORCE_WAKEUP,
    helpers::generated::{bpf_ktime_get_coarse_ns, bpf_ktime_get_ns},
};

use crate::{
    atomic::{fetch_add, fetch_decrement, load, publish, store},
    maps::{CURSORS, RECORDS, WAKEUPS, Watched, seed, settings},
};

/// After so many records the programs look how many wait.
const LOOK_EVERY: u64 = 256;
/// When there are more, user space is woken up before its tick.
const MANY: u64 = RING_ROOM / 4;

/// A record in the making: what is the same in all that one packet causes.
#[derive(Clone, Copy)]
pub(crate) struct Probe {
    pub(crate) pod: [u32; 4],
    pub(crate) peer: [u32; 4],
    pub(crate) port: u16,
    pub(crate) pod_port: u16,
    pub(crate) transport: Transport,
    pub(crate) class: u8,
    pub(crate) tcp_flags: u8,
    pub(crate) tcp_words: u8,
    pub(crate) spoofed: bool,
    pub(crate) contained: bool,
}

/// Whether the cache says that the contact was reported of late.
#[inline(always)]
pub(crate) fn is_contacted(watched: &Watched, peer: &[u32; 4], transport: Transport) -> bool {
    let (index, tag) = contact_entry(endpoint_hash(seed(), peer, 0, transport));
    let known = load(&watched.slot.contacts[index]);
    known & !REPORTED_MASK == tag && known & CONTACTED != 0
}

/// Reports a contact or its outcome, unless the cache says that it was reported of late; whether it
/// was not.
///
/// Two CPUs may race for an entry: then a record is written twice, or an entry forgotten early.
#[inline(always)]
pub(crate) fn report(watched: &Watched, kind: RecordKind, probe: &Probe) -> bool {
    let done = match kind {
        RecordKind::Contact => CONTACTED,
        RecordKind::Answer => ANSWERED,
        _ => REFUSED,
    };
    let hash = endpoint_hash(seed(), &probe.peer, probe.port, probe.transport);
    let (index, tag) = contact_entry(hash);
    let entry = &watched.slot.contacts[index];
    let known = load(entry);
    let known = if known & !REPORTED_MASK == tag {
        known
    } else {
        tag
    };
    if known & done != 0 {
        return false;
    }
    if offer(watched, kind, probe) {
        // A contact starts over: its outcome is to be reported too, whatever became of the last one.
        let kept = if done == CONTACTED { tag } else { known };
        store(entry, kept | done);
    }
    true
}

/// Wakes user space up: a budget was spent. Trips are bounded by user space, which alone renews a
/// budget, and so are exempt from the slot's cap.
///
/// Where the pod may be contained, it is from this packet on until user space has judged: in the time that it
/// takes to get there, a scanner gets dozens of answers. No more pods at once than user space says.
#[inline(always)]
pub(crate) fn trip(watched: &Watched, probe: &Probe) {
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    let hold = load(&watched.slot.hold_ns);
    if hold != 0 && settings().is_some_and(|it| fetch_decrement(&it.holds) > 0) {
        store(&watched.slot.held_until_ns, now + hold);
    }
    if !write(watched, RecordKind::Trip, probe, now) {
        watched.count(Counter::RecordsDropped);
    }
    wake();
}

/// Writes a record, or counts it as dropped; whether it was written.
///
/// Two CPUs may count one record of the cap for two: it is a bound on the work of user space.
#[inline(always)]
fn offer(watched: &Watched, kind: RecordKind, probe: &Probe) -> bool {
    let cap = settings().map_or(0, |settings| load(&settings.records_per_drain));
    let offered = load(&watched.slot.records);
    store(&watched.slot.records, offered + 1);
    // SAFETY: the helper has no preconditions. It is a sixth of the price of the exact clock, and as
    // precise as a tick of the kernel's timer.
    let now = unsafe { bpf_ktime_get_coarse_ns() };
    let written = offered < cap && write(watched, kind, probe, now);
    if !written {
        watched.count(Counter::RecordsDropped);
    }
    written
}

#[inline(always)]
fn write(watched: &Watched, kind: RecordKind, probe: &Probe, now: u64) -> bool {
    let Some(cursors) = CURSORS.get(0) else {
        return false;
    };
    let waiting = load(&cursors.claimed).wrapping_sub(load(&cursors.read));
    if waiting >= RING_ROOM {
        return false;
    }
    let position = fetch_add(&cursors.claimed, 1);
    let Some(record) = RECORDS.get_ptr_mut(ring_index(position)) else {
        return false;
    };
    // SAFETY: the position is this program's alone until user space has read it.
    unsafe {
        record.write(Record {
            time_ns: now,
            slot: watched.index,
            epoch: load(&watched.slot.epoch) as u32,
            pod: bytes(probe.pod),
            peer: bytes(probe.peer),
            port: probe.port,
            pod_port: probe.pod_port,
            kind: kind as u8,
            transport: probe.transport as u8,
            class: probe.class,
            tcp_flags: probe.tcp_flags,
            tcp_words: probe.tcp_words,
            spoofed: u8::from(probe.spoofed),
            contained: u8::from(probe.contained),
            reserved: 0,
            sequence: 0,
        });
    }
    // SAFETY: the record lies in the map.
    let sequence = unsafe { &raw mut (*record).sequence };
    // SAFETY: as above.
    unsafe { publish(sequence, ring_sequence(position)) };
    if position % LOOK_EVERY == LOOK_EVERY - 1 && waiting > MANY {
        wake();
    }
    true
}

/// Wakes user space up. It costs fifty records, so it is for trips, and for a ring that fills up before the
/// next tick. When the ring buffer is full, a wake-up is under way.
#[inline(always)]
fn wake() {
    if let Some(mut entry) = WAKEUPS.reserve::<u64>(0) {
        entry.write(0);
        entry.submit(u64::from(BPF_RB_FORCE_WAKEUP));
    }
}

/// Words as they lie in the packet, so in network order.
#[inline(always)]
pub(crate) const fn bytes(address: [u32; 4]) -> [u8; 16] {
    let mut bytes = [0; 16];
    let mut word = 0;
    while word < 4 {
        let part = address[word].to_ne_bytes();
        bytes[4 * word] = part[0];
        bytes[4 * word + 1] = part[1];
        bytes[4 * word + 2] = part[2];
        bytes[4 * word + 3] = part[3];
        word += 1;
    }
    bytes
}
