//! The parser of the two programs. It also compiles for the host, where it is fuzzed.
#![no_std]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

pub mod packet;
