//! What netlink tells of links, routes and neighbours.

use std::net::IpAddr;

/// What tells one interface from another with the same index.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Link {
    pub(super) ifindex: u32,
    pub(super) name: String,
    pub(super) veth: bool,
    /// Its packets begin with an Ethernet header.
    pub(super) ethernet: bool,
    /// Link-layer address.
    pub(super) address: Vec<u8>,
    /// Interface index of the other end, in its own network namespace.
    pub(super) peer: Option<u32>,
    /// Id of the other end's network namespace; none when it is this one.
    pub(super) peer_namespace: Option<i32>,
}

/// Something netlink tells.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Fact {
    Link(Link),
    NoLink {
        ifindex: u32,
    },
    /// A host route; without an interface it leads elsewhere.
    Route {
        address: IpAddr,
        ifindex: Option<u32>,
        /// It took the place of another, for which no message comes.
        replaces: bool,
    },
    NoRoute {
        address: IpAddr,
        ifindex: u32,
    },
    /// An address of the node itself, at this interface.
    Own {
        address: IpAddr,
        ifindex: u32,
    },
    NotOwn {
        address: IpAddr,
        ifindex: u32,
    },
    /// A default route leads through it. That it no longer does is seen by the next dump.
    Uplink {
        ifindex: u32,
    },
    Neighbour {
        address: IpAddr,
        ifindex: u32,
        standing: Standing,
    },
    /// The addresses of its other end, as they are in the pod's network namespace.
    Inside {
        ifindex: u32,
        addresses: Vec<IpAddr>,
    },
}

/// What a neighbour entry is worth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Standing {
    /// Set by hand, or it answered the kernel.
    Confirmed,
    /// Worth what it was before: an entry that aged, or one that a mere request has made.
    Unchanged,
    /// It does not answer, or is gone.
    Lost,
}

/// Where a fact comes from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Source {
    /// A notification: no earlier one is missing, or a dump follows.
    Notification,
    /// A dump: what differs from the table has been missed.
    Dump,
}
