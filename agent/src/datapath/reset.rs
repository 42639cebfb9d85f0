//! Prepares a slot for its next interface.

use std::sync::atomic::Ordering::Relaxed;

use agent_common::Slot;
use detect::Subject;

use super::budgets::UNLIMITED;

/// Clears all of it. The programs do not see it meanwhile.
pub(super) fn reset(slot: &Slot, subject: Subject) {
    slot.ifindex.store(u64::from(subject.ifindex), Relaxed);
    slot.epoch.store(u64::from(subject.epoch), Relaxed);
    slot.budget.store(UNLIMITED, Relaxed);
    slot.refusal_budget.store(UNLIMITED, Relaxed);
    let Slot {
        ifindex: _,
        epoch: _,
        budget: _,
        refusal_budget: _,
        lease_ns,
        hold_ns,
        held_until_ns,
        source_families,
        uplink,
        addresses,
        records,
        samples,
        initiated_packets,
        counters,
        parse_failures,
        volume,
        awaiting,
        protocols,
        hosts,
        heard_tcp,
        heard_other,
        contacts,
        tcp,
        udp,
        refused,
        probed,
        refusing,
    } = slot;
    let volume = volume.iter().flatten();
    let single = [
        lease_ns,
        hold_ns,
        held_until_ns,
        source_families,
        uplink,
        records,
        samples,
    ];
    let cells = single
        .into_iter()
        .chain(addresses.iter().flatten())
        .chain(initiated_packets)
        .chain(counters)
        .chain(parse_failures)
        .chain(volume.flat_map(|it| [&it.packets, &it.bytes]))
        .chain(awaiting.iter().flatten())
        .chain([&protocols.fresh, &protocols.window].into_iter().flatten())
        .chain(
            [
                &hosts.contacted,
                &hosts.answered,
                &hosts.refused,
                &hosts.probing,
            ]
            .into_iter()
            .flatten(),
        )
        .chain(heard_tcp.recent.iter().chain(&heard_tcp.older))
        .chain(heard_other.recent.iter().chain(&heard_other.older))
        .chain(contacts);
    let sets = [
        &tcp.fresh,
        &tcp.window,
        &udp.fresh,
        &udp.window,
        refused,
        probed,
        refusing,
    ];
    for cell in cells.chain(sets.into_iter().flat_map(|set| &set.words)) {
        cell.store(0, Relaxed);
    }
}
