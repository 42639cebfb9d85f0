//! Which programs the kernel runs at an interface by tcx, in their order.
#![expect(unsafe_code, reason = "aya asks for rights to other programs as well")]

use std::io;

use super::side::Side;

/// From linux/bpf.h.
const BPF_PROG_QUERY: libc::c_long = 16;
const BPF_TCX_INGRESS: u32 = 46;
const BPF_TCX_EGRESS: u32 = 47;
/// The kernel's own bound on a chain (BPF_MPROG_MAX).
const LONGEST: usize = 64;

/// The part of `union bpf_attr` (linux/bpf.h) that BPF_PROG_QUERY reads, of Linux 6.6.
#[repr(C)]
#[derive(Default)]
struct Query {
    ifindex: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    program_ids: u64,
    count: u32,
    reserved: u32,
    program_attach_flags: u64,
    link_ids: u64,
    link_attach_flags: u64,
    revision: u64,
}

/// The ids of the programs, first to last; needs CAP_NET_ADMIN alone.
pub(super) fn programs(ifindex: u32, side: Side) -> io::Result<Vec<u32>> {
    let mut ids = [0_u32; LONGEST];
    let mut query = Query {
        ifindex,
        attach_type: match side {
            Side::Ingress => BPF_TCX_INGRESS,
            Side::Egress => BPF_TCX_EGRESS,
        },
        program_ids: ids.as_mut_ptr().expose_provenance() as u64,
        count: LONGEST as u32,
        ..Query::default()
    };
    // SAFETY: the kernel reads and writes a query of the size that it is told, and as many ids as
    // `count` says; both outlive the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_bpf,
            BPF_PROG_QUERY,
            &raw mut query,
            size_of::<Query>(),
        )
    };
    if result < 0 {
        let error = io::Error::last_os_error();
        // No chain at all was made so far.
        return match error.raw_os_error() {
            Some(libc::ENOENT) => Ok(Vec::new()),
            _ => Err(error),
        };
    }
    Ok(ids[..(query.count as usize).min(LONGEST)].to_vec())
}
