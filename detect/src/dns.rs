//! Finds what pods do by asking for names: tunnels, sweeps of the cluster's names, generated domains.
//!
//! The datapath samples DNS messages, the first 192 bytes of each. They are read once, and each detector
//! looks at what was asked and answered. Only what the pod asks as a client counts; what a name server
//! asks for its clients does not.

mod asked;
pub(crate) mod dga;
pub(crate) mod dns_enumeration;
pub(crate) mod dns_tunnel;
mod groups;
pub(crate) mod malformed_dns;
pub(crate) mod zone_transfer;
