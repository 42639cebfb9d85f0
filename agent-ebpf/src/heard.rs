//! Which endpoints sent to the pod of late.

use agent_common::{Heard, Transport, endpoint_hash, heard_bits};

use crate::{
    atomic::{fetch_or, load},
    maps::{Watched, seed},
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
    load(&filter.recent[word]) & bits == bits || load(&filter.older[word]) & bits == bits
}

#[inline(always)]
fn enter<const WORDS: usize>(filter: &Heard<WORDS>, hash: u64) -> bool {
    let (word, bits) = heard_bits(WORDS, hash);
    if load(&filter.recent[word]) & bits == bits {
        return false;
    }
    fetch_or(&filter.recent[word], bits);
    load(&filter.older[word]) & bits != bits
}
