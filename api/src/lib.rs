//! The wire format of Picket: generated code, and the conversions from what the detectors say.
#![deny(missing_docs)]

pub mod v1;

/// All `.proto` files as an encoded `google.protobuf.FileDescriptorSet`, for gRPC reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!("generated/descriptors.bin");
