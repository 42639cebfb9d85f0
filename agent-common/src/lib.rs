//! Layouts and names that the kernel programs and the agent share.
#![no_std]
#![deny(missing_docs)]

mod names;
mod ports;
mod record;
mod settings;
mod slot;

pub use names::{
    BUCKETS_MAP, FROM_POD_PROGRAM, RECORDS_MAP, SEED_GLOBAL, SETTINGS_MAP, SKIP_MAP, SLOTS_MAP,
    TO_POD_PROGRAM,
};
pub use ports::{PORT_WORDS, PortSet};
pub use record::{Record, RecordKind};
pub use settings::{BUCKET_COUNT, BUCKET_WAYS, Bucket, Settings};
pub use slot::{
    ANSWERED, CONTACT_CACHE_ENTRIES, CONTACTED, Counter, Direction, ParseFailure, Ports, REFUSED,
    REPORTED_MASK, Slot, Volume, contact_tag,
};
