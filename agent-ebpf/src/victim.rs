//! The pod as others look at it: its ports that are probed, and those that refuse.

use agent_common::{Counter, PortSet};

use crate::{
    initiate::{set, sketch},
    maps::Watched,
};

/// Another host initiated to a port of the pod.
#[inline(always)]
pub(crate) fn probed(watched: &Watched, port: u16, source: &[u32; 4]) {
    let (word, bit) = PortSet::locate(port);
    set(&watched.slot.probed.words[word], bit);
    sketch(&watched.slot.hosts.probing, source);
    watched.count(Counter::Probes);
}

/// The pod refused at one of its ports.
#[inline(always)]
pub(crate) fn refusing(watched: &Watched, port: u16) {
    let (word, bit) = PortSet::locate(port);
    set(&watched.slot.refusing.words[word], bit);
    watched.count(Counter::Refusing);
}
