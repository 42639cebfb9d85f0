//! The wire format of Picket, and what both of its ends do alike with it.
#![deny(missing_docs)]

pub mod events;
pub mod filter;
pub mod pods;
pub mod summary;
pub mod transport;
pub mod v1;

/// All `.proto` files as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.bin");
