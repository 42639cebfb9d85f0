//! A model and a real slot, cell by cell.

use std::{
    slice::from_ref,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use agent_common::{Class, Counter, Direction, ParseFailure, Slot, VolumeClass};

use super::model::Model;

/// What a group of cells holds.
#[derive(Clone, Copy)]
pub(super) enum Content {
    /// One number.
    Number,
    /// A bitmap of ports or protocols.
    Bits,
    /// Words of anything else.
    Words,
}

/// Cells of a slot and what the model has for them.
pub(super) struct Group<'a> {
    pub(super) name: String,
    pub(super) content: Content,
    pub(super) cells: &'a [AtomicU64],
    pub(super) words: &'a [u64],
}

impl Model {
    /// Makes the slot what this is.
    pub fn store(&self, slot: &Slot) {
        slot.budget.store(self.budget, Relaxed);
        slot.refusal_budget.store(self.refusal_budget, Relaxed);
        for (cells, host) in slot.addresses.iter().zip(&self.addresses) {
            for (cell, words) in cells.iter().zip(host.chunks_exact(2)) {
                let bytes: Vec<u8> = words.iter().flat_map(|it| it.to_ne_bytes()).collect();
                cell.store(
                    u64::from_ne_bytes(bytes.try_into().unwrap_or_default()),
                    Relaxed,
                );
            }
        }
        for group in self.groups(slot) {
            for (cell, &word) in group.cells.iter().zip(group.words) {
                cell.store(word, Relaxed);
            }
        }
    }

    /// All that the programs read or write of a slot.
    pub(super) fn groups<'a>(&'a self, slot: &'a Slot) -> Vec<Group<'a>> {
        use Content::{Bits, Number, Words};
        let mut groups = Vec::new();
        let mut add = |name: &str, content, cells, words| {
            groups.push(Group {
                name: name.to_owned(),
                content,
                cells,
                words,
            });
        };
        let drained = &self.drained;
        let (tcp, udp) = (&slot.tcp, &slot.udp);
        add("tcp.fresh", Bits, &tcp.fresh.words, &self.tcp.fresh);
        add("tcp.window", Bits, &tcp.window.words, &self.tcp.window);
        add("udp.fresh", Bits, &udp.fresh.words, &self.udp.fresh);
        add("udp.window", Bits, &udp.window.words, &self.udp.window);
        add("refused", Bits, &slot.refused.words, &drained.refused);
        add("probed", Bits, &slot.probed.words, &drained.probed);
        add("refusing", Bits, &slot.refusing.words, &drained.refusing);
        let (protocols, hosts) = (&slot.protocols, &slot.hosts);
        add(
            "protocols.fresh",
            Bits,
            &protocols.fresh,
            &drained.protocols,
        );
        let window = &self.protocols_window;
        add("protocols.window", Bits, &protocols.window, window);
        add("contacted", Words, &hosts.contacted, &drained.contacted);
        add("answered", Words, &hosts.answered, &drained.answered);
        add(
            "refused hosts",
            Words,
            &hosts.refused,
            &drained.refused_hosts,
        );
        add("probing", Words, &hosts.probing, &drained.probing);
        add("contacts", Words, &slot.contacts, &self.contacts);
        let (heard_tcp, heard_other) = (&slot.heard_tcp, &slot.heard_other);
        let [recent, older] = &self.heard_tcp;
        add("heard_tcp.recent", Words, &heard_tcp.recent, recent);
        add("heard_tcp.older", Words, &heard_tcp.older, older);
        let [recent, older] = &self.heard_other;
        add("heard_other.recent", Words, &heard_other.recent, recent);
        add("heard_other.older", Words, &heard_other.older, older);
        for (cells, words) in slot.awaiting.iter().zip(&self.awaiting) {
            add("awaiting", Bits, cells, words);
        }
        let mut number = |name: &str, cell, word| add(name, Number, from_ref(cell), from_ref(word));
        number("records", &slot.records, &self.records);
        number("samples", &slot.samples, &self.samples);
        number("lease_ns", &slot.lease_ns, &self.lease_ns);
        number(
            "source_families",
            &slot.source_families,
            &self.source_families,
        );
        for class in Class::ALL {
            let index = class as usize;
            let cell = &slot.initiated_packets[index];
            let name = format!("initiated {class:?}");
            number(&name, cell, &drained.initiated[index]);
        }
        for counter in COUNTERS {
            let index = counter as usize;
            let name = format!("counter {counter:?}");
            number(&name, &slot.counters[index], &drained.counters[index]);
        }
        for reason in ParseFailure::ALL {
            let index = reason as usize;
            let name = format!("parse failures {reason:?}");
            number(&name, &slot.parse_failures[index], &drained.failures[index]);
        }
        for direction in [Direction::FromPod, Direction::ToPod] {
            for class in CLASSES {
                let cells = &slot.volume[direction as usize][class as usize];
                let [packets, bytes] = &drained.volume[direction as usize][class as usize];
                let name = |what| format!("{what} {direction:?} {class:?}");
                number(&name("packets"), &cells.packets, packets);
                number(&name("bytes"), &cells.bytes, bytes);
            }
        }
        groups
    }
}

const COUNTERS: [Counter; Counter::COUNT] = [
    Counter::Answered,
    Counter::Refused,
    Counter::RecordsDropped,
    Counter::SamplesDropped,
    Counter::NewPorts,
    Counter::LaterFragments,
    Counter::OtherFrames,
    Counter::OtherIcmp,
    Counter::ResetsSent,
    Counter::ResetsReceived,
    Counter::Accepted,
    Counter::Probes,
    Counter::Refusing,
    Counter::EchoesReceived,
    Counter::Spoofed,
    Counter::Contained,
    Counter::Replies,
    Counter::OtherNeighbour,
];

const CLASSES: [VolumeClass; VolumeClass::COUNT] = [
    VolumeClass::Tcp,
    VolumeClass::Udp,
    VolumeClass::Icmp,
    VolumeClass::Other,
];
