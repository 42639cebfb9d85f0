//! The two programs at the host side of a pod's veth: every packet of the pod passes one of them.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch, core_intrinsics))]
#![cfg_attr(
    target_arch = "bpf",
    expect(internal_features, reason = "see `atomic`")
)]

#[cfg(target_arch = "bpf")]
mod atomic;
#[cfg(target_arch = "bpf")]
mod contacts;
#[cfg(target_arch = "bpf")]
mod heard;
#[cfg(target_arch = "bpf")]
mod initiate;
#[cfg(target_arch = "bpf")]
mod maps;
#[cfg(target_arch = "bpf")]
mod outcome;
#[cfg(target_arch = "bpf")]
mod programs;
#[cfg(target_arch = "bpf")]
mod samples;
#[cfg(target_arch = "bpf")]
mod victim;
#[cfg(target_arch = "bpf")]
mod volume;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
