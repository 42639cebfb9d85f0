//! A packet of the pod that initiates: its port enters the sets, spends the budget, is reported.
//!
//! Here and elsewhere a packet is counted after it has entered sets and sketches: where nothing was counted,
//! a drain has nothing to look for.
#![expect(unsafe_code, reason = "kernel helpers")]

use agent_common::{
    Class, Counter, PortSet, Ports, RecordKind, SKETCH_BITS, SOURCES_V4, SOURCES_V6, Slot,
    Transport, host_hash,
};
use aya_ebpf::{
    bindings::{TC_ACT_SHOT, TC_ACT_UNSPEC},
    helpers::generated::bpf_ktime_get_ns,
    programs::TcContext,
};
use aya_log_ebpf::debug;

use core::sync::atomic::AtomicU64;

use crate::{
    atomic::{fetch_add, fetch_decrement, fetch_or, load},
    contacts::{Probe, report, trip},
    maps::{Watched, seed},
};

/// Counts an initiating packet; what becomes of it.
#[inline(never)]
pub(crate) fn initiate(ctx: &TcContext, watched: &Watched, probe: &mut Probe) -> i32 {
    let slot = watched.slot;
    probe.spoofed = is_spoofed(slot, &probe.pod);
    if probe.spoofed {
        watched.count(Counter::Spoofed);
    }
    sketch(&slot.hosts.contacted, &probe.peer);
    let new = match probe.transport {
        Transport::Tcp => enter(watched, &slot.tcp, probe),
        Transport::Udp | Transport::Sctp => enter(watched, &slot.udp, probe),
        Transport::Protocol => {
            enter_protocol(watched, probe.port);
            false
        }
        Transport::Icmp | Transport::Neighbour => false,
    };
    if let Some(packets) = slot.initiated_packets.get(usize::from(probe.class)) {
        fetch_add(packets, 1);
    }
    report(watched, RecordKind::Contact, probe);
    if new && fetch_decrement(&slot.budget) == 1 {
        trip(watched, probe);
        debug!(ctx, "budget spent at port {}", probe.port);
    }
    if probe.contained {
        TC_ACT_SHOT
    } else {
        TC_ACT_UNSPEC
    }
}

/// Whether the source is none of the pod's addresses, of which those of its family are all known.
#[inline(always)]
fn is_spoofed(slot: &Slot, source: &[u32; 4]) -> bool {
    let families = load(&slot.source_families);
    if families == 0 {
        return false;
    }
    let first = join(source[0], source[1]);
    let second = join(source[2], source[3]);
    let v4 = first == 0 && source[2] == 0xffff_u32.to_be();
    let link_local = source[0] & 0xffc0_0000_u32.to_be() == 0xfe80_0000_u32.to_be();
    let unspecified = first == 0 && (source[2] == 0 || v4) && source[3] == 0;
    let family = if v4 { SOURCES_V4 } else { SOURCES_V6 };
    if families & family == 0 || link_local || unspecified {
        return false;
    }
    let mut index = 0;
    while index < slot.addresses.len() {
        let [one, two] = &slot.addresses[index];
        if load(one) == first && load(two) == second {
            return false;
        }
        index += 1;
    }
    true
}

#[inline(always)]
const fn join(first: u32, second: u32) -> u64 {
    (second as u64) << 32 | first as u64
}

/// Puts the port into both sets, or only into the first if the pod is contained and does not use it
/// yet; whether it was new to the window.
#[inline(always)]
fn enter(watched: &Watched, ports: &Ports, probe: &mut Probe) -> bool {
    let (word, bit) = PortSet::locate(probe.port);
    set(&ports.fresh.words[word], bit);
    let window = &ports.window.words[word];
    if load(window) & bit != 0 {
        return false;
    }
    if is_contained(watched.slot, probe.class) {
        probe.contained = true;
        watched.count(Counter::Contained);
        return false;
    }
    let new = fetch_or(window, bit) & bit == 0;
    if new {
        watched.count(Counter::NewPorts);
    }
    new
}

/// A segment with ACK may be of a connection older than anything that is remembered of it.
#[inline(always)]
fn is_contained(slot: &Slot, class: u8) -> bool {
    let (lease, held) = (load(&slot.lease_ns), load(&slot.held_until_ns));
    let until = if lease > held { lease } else { held };
    let stray = class == Class::StrayAck as u8
        || class == Class::StrayFin as u8
        || class == Class::StraySynAck as u8;
    // SAFETY: the helper has no preconditions.
    until != 0 && !stray && unsafe { bpf_ktime_get_ns() } < until
}

#[inline(always)]
fn enter_protocol(watched: &Watched, number: u16) {
    let protocols = &watched.slot.protocols;
    let (word, bit) = (usize::from(number >> 6) & 3, 1 << (number & 63));
    set(&protocols.fresh[word], bit);
    if !set(&protocols.window[word], bit) {
        watched.count(Counter::NewPorts);
    }
}

/// Enters the host into a sketch.
#[inline(always)]
pub(crate) fn sketch(words: &[AtomicU64; SKETCH_BITS / 64], host: &[u32; 4]) {
    let bit = host_hash(seed(), host) as usize & (SKETCH_BITS - 1);
    set(&words[bit >> 6], 1 << (bit & 63));
}

/// Sets a bit; whether it was set before. Reads first: most are, and a read needs no bus lock.
#[inline(always)]
pub(crate) fn set(cell: &AtomicU64, bit: u64) -> bool {
    load(cell) & bit != 0 || fetch_or(cell, bit) & bit != 0
}

/// Whether the port is in the set.
#[inline(always)]
pub(crate) fn contains(ports: &PortSet, port: u16) -> bool {
    let (word, bit) = PortSet::locate(port);
    load(&ports.words[word]) & bit != 0
}
