//! The wire format of Picket, and what both of its ends do alike with it.
#![deny(missing_docs)]

pub mod actions;
pub mod base64;
#[cfg(feature = "certificates")]
pub mod certificates;
pub mod command;
pub mod containment;
pub mod correlations;
pub mod encoding;
pub mod events;
pub mod filter;
#[cfg(feature = "former")]
pub mod former;
pub mod harmless;
pub mod json;
pub mod kept;
pub mod names;
pub mod parts;
pub mod pipe;
pub mod pods;
pub mod policy;
pub mod port_sets;
pub mod principal;
pub mod protocol;
pub mod quarantine;
pub mod retry;
pub mod selector;
pub mod services;
pub mod summary;
pub mod times;
pub mod transport;
pub mod triage;
pub mod v1;
pub mod workload;

mod descriptors;

pub use descriptors::FILE_DESCRIPTOR_SET;
