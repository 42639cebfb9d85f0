//! Arbitrary bytes are the same packet to the programs' parser and to the oracle's.
#![no_main]
#![expect(
    unsafe_code,
    reason = "the programs' parser reads what lies at an address"
)]

mod meaning;
mod seeds;
/// Parts of the lab, whose other parts need all of Picket built.
#[path = "../../src"]
#[allow(
    dead_code,
    unused_imports,
    reason = "most of the oracle is not about parsing"
)]
mod lab {
    pub mod generate;
    pub mod oracle;
    pub mod packet;
}

use agent_ebpf::packet::Frame;
use libfuzzer_sys::fuzz_target;

use self::{
    lab::{generate, oracle, packet},
    meaning::{Meaning, of_oracle, of_parser},
};

/// What a header of Ethernet takes; the kernel hands on nothing shorter.
const ETHERNET_BYTES: usize = 14;
/// What the programs make linear of a packet that they could not parse.
const PULLED: usize = 256;

fuzz_target!(init: seeds::plant(), |input: &[u8]| {
    // The first two bytes say how many of the rest the kernel holds in one piece.
    let Some((linear, frame)) = input.split_first_chunk() else {
        return;
    };
    if frame.len() < ETHERNET_BYTES {
        return;
    }
    let linear = usize::from(u16::from_le_bytes(*linear)).clamp(ETHERNET_BYTES, frame.len());
    let expected = of_oracle(&oracle::parse_linear(frame, linear));
    let mut told = parse(frame, linear);
    if let Meaning::Failure(_) = told && linear < frame.len().min(PULLED) {
        told = parse(frame, frame.len().min(PULLED));
    }
    assert_eq!(told, expected, "linear {linear} of {}", frame.len());
});

/// Parses a copy of just the linear part, so that the sanitizer sees what is read behind it.
fn parse(frame: &[u8], linear: usize) -> Meaning {
    let part: Box<[u8]> = frame[..linear].into();
    let range = part.as_ptr_range();
    let ether_type = u16::from_ne_bytes([frame[12], frame[13]]);
    // SAFETY: `part` outlives the value and what is told of it.
    let part = unsafe {
        Frame::new(
            range.start as usize,
            range.end as usize,
            frame.len(),
            ether_type,
        )
    };
    of_parser(&part)
}
