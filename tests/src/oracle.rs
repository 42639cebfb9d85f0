//! What the kernel programs must count, told by other code: a parser and a slot in plain Rust.
//!
//! It shares `agent-common`'s hashes and names with the programs, and nothing else, so that a mistake
//! in one of the two shows as a difference.

mod bytes;
mod datagram;
mod differ;
mod from_pod;
mod model;
mod network;
mod outcome;
mod packet;
mod parse;
mod samples;
mod store;
mod to_pod;
mod transport;

pub use model::{Drained, Gso, Model, Verdict};
pub use packet::{Ends, Host, Packet, Payload, Quoted, Segment};
pub use parse::{parse, parse_linear};
