//! Package `picket.v1`, generated from `proto/` by `UPDATE=1 cargo test -p api --test generated`.
#![allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::allow_attributes_without_reason,
    clippy::let_underscore_must_use,
    reason = "generated"
)]

pub use prost_types::{Duration, Timestamp};

include!("generated/picket.v1.rs");
