//! Who has which address.

use std::net::Ipv4Addr;

pub(super) const CONTROL: Ipv4Addr = Ipv4Addr::new(172, 30, 0, 1);
pub(super) const SERVICES: &str = "10.96.0.0/16";
/// The first of them is the API server's.
pub(super) const API_SERVICE: &str = "10.96.0.1";

pub(super) const fn node(index: u8) -> Ipv4Addr {
    Ipv4Addr::new(172, 30, 0, 10 + index)
}

/// Those of the pods of a node.
pub(super) fn pods(index: u8) -> String {
    format!("10.244.{index}.0/24")
}
