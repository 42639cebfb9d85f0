//! What the DNS detectors make of the messages of pods.

mod dga;
mod dns_enumeration;
mod dns_tunnel;
mod malformed_dns;
mod wire;
mod zone_transfer;
