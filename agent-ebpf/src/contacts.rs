//! What the pod initiated to, and how it ended.
#![expect(unsafe_code, reason = "kernel helpers")]

use agent_common::{
    ANSWERED, CONTACTED, Counter, PortSet, Ports, REFUSED, REPORTED_MASK, Record, RecordKind,
    contact_tag,
};
use aya_ebpf::{helpers::bpf_ktime_get_ns, programs::TcContext};
use aya_log_ebpf::debug;

use crate::{
    atomic::{fetch_decrement, fetch_or, load, store},
    maps::{SEED, Watched},
    packet::{Quoted, Tcp},
};

const IPPROTO_TCP: u8 = 6;

/// An initiating packet of the pod.
#[inline(always)]
pub(crate) fn initiated(ctx: &TcContext, watched: &Watched, tcp: &Tcp) {
    watched.count(Counter::Initiated);
    let new = remember(&watched.slot.initiated, tcp.destination_port);
    if new {
        watched.count(Counter::NewPorts);
    }
    let record = Record {
        peer: bytes(tcp.destination),
        port: tcp.destination_port,
        pod: bytes(tcp.source),
        pod_port: tcp.source_port,
        tcp_flags: tcp.flags,
        tcp_words: tcp.words,
        ..blank()
    };
    report(
        watched,
        RecordKind::Contact,
        CONTACTED,
        &tcp.destination,
        record,
    );
    if new && fetch_decrement(&watched.slot.budget) == 1 {
        trip(ctx, watched, record);
    }
}

/// A SYN-ACK to the pod.
#[inline(always)]
pub(crate) fn answered(watched: &Watched, tcp: &Tcp) {
    if !contains(&watched.slot.initiated.window, tcp.source_port) {
        return;
    }
    watched.count(Counter::Answered);
    report(
        watched,
        RecordKind::Answer,
        ANSWERED,
        &tcp.source,
        towards_pod(tcp),
    );
}

/// A reset to the pod that answers an initiating packet.
#[inline(always)]
pub(crate) fn refused(ctx: &TcContext, watched: &Watched, tcp: &Tcp) {
    refuse(ctx, watched, &tcp.source, towards_pod(tcp));
}

/// An unreachable to the pod that quotes a TCP packet of its own.
#[inline(always)]
pub(crate) fn unreachable(ctx: &TcContext, watched: &Watched, quoted: &Quoted) {
    let record = Record {
        peer: bytes(quoted.destination),
        port: quoted.destination_port,
        pod: bytes(quoted.source),
        pod_port: quoted.source_port,
        ..blank()
    };
    refuse(ctx, watched, &quoted.destination, record);
}

/// Counts only ports the pod initiated to: others cannot make it look refused.
#[inline(always)]
fn refuse(ctx: &TcContext, watched: &Watched, peer: &[u32; 4], record: Record) {
    if !contains(&watched.slot.initiated.window, record.port) {
        return;
    }
    watched.count(Counter::Refused);
    let new = remember(&watched.slot.refused, record.port);
    report(watched, RecordKind::Refusal, REFUSED, peer, record);
    if new && fetch_decrement(&watched.slot.refusal_budget) == 1 {
        trip(ctx, watched, record);
    }
}

/// Puts `port` into both sets; whether it was new to the window.
#[inline(always)]
fn remember(ports: &Ports, port: u16) -> bool {
    let (word, bit) = PortSet::locate(port);
    set(&ports.fresh, word, bit);
    !set(&ports.window, word, bit)
}

/// Sets a bit; whether it was set before. Reads first: most are, and a read needs no bus lock.
#[inline(always)]
fn set(ports: &PortSet, word: usize, bit: u64) -> bool {
    let cell = &ports.words[word];
    load(cell) & bit != 0 || fetch_or(cell, bit) & bit != 0
}

#[inline(always)]
fn contains(ports: &PortSet, port: u16) -> bool {
    let (word, bit) = PortSet::locate(port);
    load(&ports.words[word]) & bit != 0
}

/// Reports a contact or its outcome, unless the cache says that it was reported of late.
///
/// Two CPUs may race for an entry: then a record is written twice, or an entry forgotten early.
#[inline(always)]
fn report(watched: &Watched, kind: RecordKind, done: u64, peer: &[u32; 4], record: Record) {
    let (index, tag) = contact_tag(SEED.load(), peer, record.port);
    let entry = &watched.slot.contacts[index];
    let known = load(entry);
    let known = if known & !REPORTED_MASK == tag {
        known
    } else {
        tag
    };
    if known & done == 0
        && watched.write(Record {
            kind: kind as u8,
            time_ns: now(),
            ..record
        })
    {
        // A contact starts over: its outcome is to be reported too, whatever became of the last one.
        let kept = if done == CONTACTED { tag } else { known };
        store(entry, kept | done);
    }
}

#[inline(always)]
fn trip(ctx: &TcContext, watched: &Watched, record: Record) {
    watched.write(Record {
        kind: RecordKind::Trip as u8,
        time_ns: now(),
        ..record
    });
    debug!(ctx, "budget spent at port {}", record.port);
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

#[inline(always)]
fn towards_pod(tcp: &Tcp) -> Record {
    Record {
        peer: bytes(tcp.source),
        port: tcp.source_port,
        pod: bytes(tcp.destination),
        pod_port: tcp.destination_port,
        tcp_flags: tcp.flags,
        tcp_words: tcp.words,
        ..blank()
    }
}

#[inline(always)]
const fn blank() -> Record {
    Record {
        time_ns: 0,
        slot: 0,
        epoch: 0,
        pod: [0; 16],
        peer: [0; 16],
        port: 0,
        pod_port: 0,
        kind: 0,
        protocol: IPPROTO_TCP,
        tcp_flags: 0,
        tcp_words: 0,
        reserved: 0,
    }
}

/// Words as they lie in the packet, so in network order.
#[inline(always)]
const fn bytes(address: [u32; 4]) -> [u8; 16] {
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
