//! The lab: network namespaces as nodes and pods, real tools in them, and guards that leave nothing behind.

mod capture;
mod deadline;
mod namespace;
mod node;
mod pod;
mod process;
mod requirements;
mod server;

pub use capture::{Capture, Packets};
pub use deadline::{Deadline, wait_for};
pub use namespace::Namespace;
pub use node::Node;
pub use pod::Pod;
pub use process::{Finished, Process, run};
pub use requirements::{require_root, require_tools, without_root};
pub use server::Server;
