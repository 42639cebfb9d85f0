//! The wire format of Picket, and what both of its ends do alike with it.
#![deny(missing_docs)]

pub mod actions;
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
pub mod kept;
pub mod parts;
pub mod pipe;
pub mod pods;
pub mod policy;
pub mod principal;
pub mod protocol;
pub mod retry;
pub mod selector;
pub mod services;
pub mod summary;
pub mod transport;
pub mod v1;
pub mod workload;

mod descriptors;

pub use descriptors::FILE_DESCRIPTOR_SET;
