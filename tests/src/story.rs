//! The cluster of the story: app1 and app2 behind one node.

use anyhow::Result;

use crate::{node::Node, pod::Pod};

/// `default/app1` and `blue/app2`, routed through `node1`.
#[derive(Debug)]
pub struct Story {
    /// The one who scans.
    pub app1: Pod,
    /// The one who is scanned.
    pub app2: Pod,
    /// The node of both.
    pub node: Node,
}

impl Story {
    /// Sets it up.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new() -> Result<Self> {
        let node = Node::new("node1")?;
        Ok(Self {
            app1: node.routed("default", "app1", &["10.244.147.92", "fd00:10:244:147::92"])?,
            app2: node.routed("blue", "app2", &["10.244.147.93", "fd00:10:244:147::93"])?,
            node,
        })
    }
}
