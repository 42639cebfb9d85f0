//! Whose traffic passes an interface.

/// Whose traffic passes an interface, and is counted there.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Whose {
    /// It is the host side of a pod's: what comes in was sent by the pod.
    #[default]
    Pod,
    /// It is an uplink: what goes out was sent by the node itself, or only passes through it.
    Node,
}
