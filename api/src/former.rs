//! Package `picket.v1` as the version before spoke it, frozen, for tests of what both understand.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::let_underscore_must_use,
    reason = "generated"
)]

pub use prost::Message;

include!("generated/former/picket.v1.rs");

/// All `.proto` files of then, as an encoded `google.protobuf.FileDescriptorSet`.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/former/descriptors.bin");
