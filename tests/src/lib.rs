//! The lab: network namespaces as nodes and pods, real tools in them, and guards that leave nothing behind.

mod binaries;
mod bpffs;
mod capture;
mod client;
mod deadline;
mod exposition;
pub mod generate;
mod interrupt;
mod kernel;
mod namespace;
mod node;
pub mod oracle;
pub mod packet;
mod pod;
mod process;
mod requirements;
mod server;
mod story;
mod watch;

pub use binaries::binary;
pub use bpffs::Bpffs;
pub use capture::{Capture, Packets};
pub use client::{Client, Received, Subscription};
pub use deadline::{Deadline, wait_for};
pub use exposition::{Metric, metrics};
pub use interrupt::{fail_waits_on_signals, interrupted};
pub use kernel::Kernel;
pub use namespace::Namespace;
pub use node::Node;
pub use pod::Pod;
pub use process::{Finished, Process, guarded, run};
pub use requirements::{require_root, require_tools, without_root};
pub use server::{Server, visit};
pub use story::Story;
pub use watch::{Place, Watch, pod_table};
