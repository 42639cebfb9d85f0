//! Layouts and names that the kernel programs and the agent share.
#![no_std]
#![deny(missing_docs)]

pub mod bench;
mod class;
mod counters;
mod hash;
mod heard;
mod layout;
mod names;
mod ports;
mod record;
mod ring;
mod sample;
mod settings;
mod slot;

pub use class::{Class, Transport};
pub use counters::{Counter, ParseFailure};
pub use hash::{endpoint_hash, host_hash};
pub use heard::{Heard, heard_bits};
pub use layout::{BUCKETS, Field, HASHES, Holds, LAYOUT, RINGS, SEED_OFFSET, SLOT_FIELDS};
pub use names::{
    BUCKETS_MAP, CURSORS_MAP, FROM_POD_PROGRAM, RECORDS_MAP, SAMPLES_MAP, SEED_GLOBAL,
    SETTINGS_MAP, SKIP_MAP, SLOTS_MAP, TO_POD_PROGRAM, WAKEUPS_MAP,
};
pub use ports::{PORT_WORDS, PortSet, Ports};
pub use record::{Record, RecordKind};
pub use ring::{RING_RECORDS, RING_ROOM, RingCursors, ring_index, ring_sequence};
pub use sample::{SAMPLE_BYTES, SAMPLES_BYTES, Sample, SampleKind};
pub use settings::{BUCKET_COUNT, BUCKET_WAYS, Bucket, Settings};
pub use slot::{
    ADDRESSES, ANSWERED, AWAITING_WORDS, CONTACT_CACHE_ENTRIES, CONTACTED, Direction, Hosts,
    PROTOCOL_WORDS, Protocols, REFUSED, REPORTED_MASK, SKETCH_BITS, SOURCES_V4, SOURCES_V6, Slot,
    Volume, VolumeClass, contact_entry,
};
