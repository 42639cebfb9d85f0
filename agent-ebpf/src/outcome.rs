//! How what the pod initiated ended: answered or refused.

use agent_common::{Counter, PortSet, RecordKind, Transport};
use aya_ebpf::programs::TcContext;
use aya_log_ebpf::debug;

use crate::{
    atomic::{fetch_decrement, load},
    contacts::{Probe, is_contacted, report, trip},
    initiate::{contains, set, sketch},
    maps::Watched,
};

/// Whether the pod initiated to this port of late: others cannot make it look refused or answered.
#[inline(always)]
pub(crate) fn is_tried(watched: &Watched, transport: Transport, port: u16) -> bool {
    let slot = watched.slot;
    match transport {
        Transport::Tcp => contains(&slot.tcp.window, port),
        Transport::Udp | Transport::Sctp => contains(&slot.udp.window, port),
        Transport::Protocol => {
            load(&slot.protocols.window[usize::from(port >> 6) & 3]) & 1 << (port & 63) != 0
        }
        Transport::Icmp | Transport::Neighbour => false,
    }
}

/// An answer to the pod.
#[inline(never)]
pub(crate) fn answered(watched: &Watched, probe: &Probe) {
    sketch(&watched.slot.hosts.answered, &probe.peer);
    watched.count(Counter::Answered);
    report(watched, RecordKind::Answer, probe);
}

/// A refusal to the pod; whether it is of something the pod initiated.
#[inline(never)]
pub(crate) fn refused(ctx: &TcContext, watched: &Watched, probe: &Probe) -> bool {
    let tried = match probe.transport {
        Transport::Icmp => is_contacted(watched, &probe.peer, Transport::Icmp),
        transport => is_tried(watched, transport, probe.port),
    };
    if !tried {
        return false;
    }
    if matches!(
        probe.transport,
        Transport::Tcp | Transport::Udp | Transport::Sctp
    ) {
        let (word, bit) = PortSet::locate(probe.port);
        set(&watched.slot.refused.words[word], bit);
    }
    sketch(&watched.slot.hosts.refused, &probe.peer);
    watched.count(Counter::Refused);
    if report(watched, RecordKind::Refusal, probe)
        && fetch_decrement(&watched.slot.refusal_budget) == 1
    {
        trip(watched, probe);
        debug!(ctx, "refusal budget spent at port {}", probe.port);
    }
    true
}
