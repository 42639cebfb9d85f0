//! Which endpoints sent to the pod of late.

use agent_common::{Heard, Transport, endpoint_hash, heard_bits};

use crate::{
    atomic::{fetch_or, load},
    maps::{Watched, seed, settings},
};

/// Whether the endpoint sent to the pod of late.
#[inline(always)]
pub(crate) fn heard(watched: &Watched, host: &[u32; 4], port: u16, transport: Transport) -> bool {
    let hash = endpoint_hash(seed(), host, port, transport);
    match transport {
        Transport::Tcp => is_in(&watched.slot.heard_tcp, hash),
        _ => is_in(&watched.slot.heard_other, hash),
    }
}

/// Remembers that the endpoint sent to the pod; whether it had not of late.
#[inline(always)]
pub(crate) fn hear(watched: &Watched, host: &[u32; 4], port: u16, transport: Transport) -> bool {
    let hash = endpoint_hash(seed(), host, port, transport);
    match transport {
        Transport::Tcp => enter(&watched.slot.heard_tcp, hash),
        _ => enter(&watched.slot.heard_other, hash),
    }
}

#[inline(always)]
fn is_in<const WORDS: usize>(filter: &Heard<WORDS>, hash: u64) -> bool {
    let (word, bits) = heard_bits(WORDS, hash);
    let [first, second] = &filter.generations;
    load(&first[word]) & bits == bits || load(&second[word]) & bits == bits
}

#[inline(always)]
fn enter<const WORDS: usize>(filter: &Heard<WORDS>, hash: u64) -> bool {
    let (word, bits) = heard_bits(WORDS, hash);
    let generation = settings().map_or(0, |settings| load(&settings.generation)) & 1;
    let [first, second] = &filter.generations;
    let (current, other) = if generation == 0 {
        (&first[word], &second[word])
    } else {
        (&second[word], &first[word])
    };
    if load(current) & bits == bits {
        return false;
    }
    fetch_or(current, bits);
    load(other) & bits != bits
}
