//! Where everything lies in what outlives an agent, so that another version finds what it knows there.
//!
//! A place in an array is never given to anything else: new classes and counters come at the end. What changes its
//! meaning gets another name.

use crate::{
    BUCKET_COUNT, BUCKET_WAYS, Bucket, RING_RECORDS, RING_ROOM, Record, RingCursors, SAMPLES_BYTES,
    Sample, Settings, Slot, Transport, endpoint_hash, heard_bits, host_hash, ring_sequence,
};

/// What a field of a slot holds, and so how it is carried from one table to another.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Holds {
    /// What is true of one table alone.
    Own,
    /// What user space said last.
    Said,
    /// Counts since the last drain.
    Counts,
    /// A set of what came since the last drain.
    Fresh,
    /// A set of what is known.
    Known,
    /// The same as [`Holds::Fresh`], by hashes.
    FreshHashes,
    /// The same as [`Holds::Known`], by hashes.
    KnownHashes,
}

/// A field of a layout. All are made of words of 64 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// As in the source, with dots.
    pub name: &'static str,
    /// In bytes.
    pub offset: usize,
    /// In bytes.
    pub size: usize,
    /// What it holds.
    pub holds: Holds,
}

const fn size_of_field<T, F>(_: fn(&T) -> &F) -> usize {
    size_of::<F>()
}

/// Without the dot it begins with.
const fn name(dotted: &'static str) -> &'static str {
    dotted.split_at(1).1
}

macro_rules! fields {
    ($of:ident: $($($part:ident).+ $holds:ident,)+) => {
        &[$(Field {
            name: name(concat!($(".", stringify!($part)),+)),
            offset: core::mem::offset_of!($of, $($part).+),
            size: size_of_field(|it: &$of| &it.$($part).+),
            holds: Holds::$holds,
        }),+]
    };
}

/// All of a slot.
pub const SLOT_FIELDS: &[Field] = fields! { Slot:
    ifindex Own,
    epoch Own,
    budget Own,
    refusal_budget Own,
    lease_ns Said,
    hold_ns Said,
    held_until_ns Said,
    source_families Said,
    uplink Said,
    addresses Said,
    records Own,
    samples Own,
    initiated_packets Counts,
    counters Counts,
    parse_failures Counts,
    volume Counts,
    awaiting Known,
    protocols.fresh Fresh,
    protocols.window Known,
    hosts.contacted FreshHashes,
    hosts.answered FreshHashes,
    hosts.refused FreshHashes,
    hosts.probing FreshHashes,
    heard_tcp.recent KnownHashes,
    heard_tcp.older KnownHashes,
    heard_other.recent KnownHashes,
    heard_other.older KnownHashes,
    contacts Own,
    tcp.fresh Fresh,
    tcp.window Known,
    udp.fresh Fresh,
    udp.window Known,
    refused Fresh,
    probed Fresh,
    refusing Fresh,
};

const _: () = assert!(
    total(SLOT_FIELDS) == size_of::<Slot>(),
    "a field of the slot is not listed"
);

const fn total(fields: &[Field]) -> usize {
    let (mut index, mut total) = (0, 0);
    while index < fields.len() {
        total += fields[index].size;
        index += 1;
    }
    total
}

const SETTINGS_FIELDS: &[Field] = fields! { Settings:
    sample_rate Own,
    records_per_drain Own,
    samples_per_drain Own,
    seed Own,
    holds Own,
};

const RECORD_FIELDS: &[Field] = fields! { Record:
    time_ns Own,
    slot Own,
    epoch Own,
    pod Own,
    peer Own,
    port Own,
    pod_port Own,
    kind Own,
    transport Own,
    class Own,
    tcp_flags Own,
    tcp_words Own,
    spoofed Own,
    contained Own,
    reserved Own,
    sequence Own,
};

const SAMPLE_FIELDS: &[Field] = fields! { Sample:
    time_ns Own,
    slot Own,
    epoch Own,
    pod Own,
    peer Own,
    port Own,
    pod_port Own,
    kind Own,
    direction Own,
    length Own,
    payload_bytes Own,
    reserved Own,
    payload Own,
};

const CURSORS_FIELDS: &[Field] = fields! { RingCursors:
    claimed Own,
    between Own,
    read Own,
};

const _: () = assert!(
    total(SETTINGS_FIELDS) == size_of::<Settings>()
        && total(RECORD_FIELDS) == size_of::<Record>()
        && total(SAMPLE_FIELDS) == size_of::<Sample>()
        && total(CURSORS_FIELDS) == size_of::<RingCursors>(),
    "a field is not listed"
);

/// Where [`Settings::seed`] lies.
pub const SEED_OFFSET: usize = core::mem::offset_of!(Settings, seed);

/// What hashes come to: another number when they come to anything else.
pub const HASHES: u64 = {
    let host = [0x0102_0304, 5, 0x0607_0809, 10];
    let mapped = [0, 0, 0xffff_u32.to_be(), 11];
    let hash = word(FNV_OFFSET, host_hash(12, &host));
    let hash = word(hash, host_hash(12, &mapped));
    let hash = word(hash, endpoint_hash(12, &host, 13, Transport::Udp));
    let endpoint = endpoint_hash(12, &mapped, 13, Transport::Tcp);
    let (place, bits) = heard_bits(128, endpoint);
    word(word(word(hash, endpoint), place as u64), bits)
};

/// The same of the table from interfaces to slots.
pub const BUCKETS: u64 = {
    let hash = word(FNV_OFFSET, BUCKET_COUNT as u64);
    let hash = word(hash, BUCKET_WAYS as u64);
    word(hash, Bucket::way(14, 15))
};

/// The same of the rings: of records, and of samples.
pub const RINGS: u64 = {
    let hash = all(
        all(all(FNV_OFFSET, RECORD_FIELDS), SAMPLE_FIELDS),
        CURSORS_FIELDS,
    );
    let hash = word(word(hash, RING_RECORDS as u64), RING_ROOM);
    word(word(hash, SAMPLES_BYTES as u64), ring_sequence(16) as u64)
};

/// Which layout this is: whoever finds the same number shares the maps.
pub const LAYOUT: u64 = {
    let hash = word(word(word(FNV_OFFSET, HASHES), BUCKETS), RINGS);
    all(all(hash, SETTINGS_FIELDS), SLOT_FIELDS)
};

const fn all(mut hash: u64, fields: &[Field]) -> u64 {
    let mut index = 0;
    while index < fields.len() {
        let field = &fields[index];
        hash = fnv(hash, field.name.as_bytes());
        hash = word(hash, field.offset as u64);
        hash = word(hash, field.size as u64);
        hash = word(hash, field.holds as u64);
        index += 1;
    }
    hash
}

/// FNV-1a of 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>).
const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const FNV_PRIME: u64 = 0x0100_0000_01b3;

const fn word(hash: u64, word: u64) -> u64 {
    fnv(hash, &word.to_le_bytes())
}

const fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    let mut index = 0;
    while index < bytes.len() {
        hash = (hash ^ bytes[index] as u64).wrapping_mul(FNV_PRIME);
        index += 1;
    }
    hash
}
