//! What the detectors of deviations make of what pods send.

mod icmp_tunnel;
mod odd_flags;
mod protocol_mismatch;
mod replay;
mod spoofed_source;
mod tiny_fragments;
mod unexpected_tunnel;
