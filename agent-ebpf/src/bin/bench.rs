//! The benchmark's own programs: one that does nothing, and one that deals many packets to another.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
#![cfg_attr(target_arch = "bpf", feature(core_intrinsics))]
#![cfg_attr(
    target_arch = "bpf",
    expect(internal_features, reason = "the intrinsics are the only atomics")
)]

#[cfg(target_arch = "bpf")]
mod programs {
    #![expect(unsafe_code, reason = "maps and packets are reached by pointers")]

    use core::intrinsics::{AtomicOrdering::AcqRel, atomic_xadd};

    use agent_common::bench::{PACKET_WORDS, PACKETS as COUNT};
    use aya_ebpf::{
        bindings::TC_ACT_UNSPEC,
        macros::{classifier, map},
        maps::{Array, ProgramArray},
        programs::TcContext,
    };

    #[map]
    static PACKETS: Array<[u64; PACKET_WORDS]> = Array::with_max_entries(COUNT, 0);
    #[map]
    static TAKEN: Array<u64> = Array::with_max_entries(1, 0);
    #[map]
    static PROGRAMS: ProgramArray = ProgramArray::with_max_entries(1, 0);

    #[classifier]
    pub(crate) fn empty(_ctx: TcContext) -> i32 {
        TC_ACT_UNSPEC
    }

    /// The kernel repeats one packet in a test run: this makes each repetition another one.
    ///
    /// The count goes up after the copy and by a locked instruction, so that the packet has left the
    /// store buffer before the measured program reads it, as one from a wire has.
    #[classifier]
    pub(crate) fn carousel(ctx: TcContext) -> i32 {
        let Some(taken) = TAKEN.get_ptr_mut(0) else {
            return TC_ACT_UNSPEC;
        };
        // SAFETY: the map holds the count.
        let turn = unsafe { taken.read_volatile() } as u32 % COUNT;
        let Some(packet) = PACKETS.get(turn) else {
            return TC_ACT_UNSPEC;
        };
        let start = ctx.data();
        if start + size_of::<[u64; PACKET_WORDS]>() > ctx.data_end() {
            return TC_ACT_UNSPEC;
        }
        let start = start as *mut u64;
        for (index, word) in packet.iter().enumerate() {
            // SAFETY: the word lies within the packet, as was checked.
            let place = unsafe { start.add(index) };
            // SAFETY: as above; the frame of a test run is aligned to a cache line.
            unsafe { place.write_volatile(*word) };
        }
        // SAFETY: the map holds the count.
        unsafe { atomic_xadd::<u64, u64, { AcqRel }>(taken, 1) };
        // SAFETY: nothing here waits to be dropped.
        unsafe { PROGRAMS.tail_call(&ctx, 0) };
        TC_ACT_UNSPEC
    }

    #[unsafe(link_section = "license")]
    #[unsafe(no_mangle)]
    static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

    #[panic_handler]
    fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
        loop {}
    }
}

#[cfg(not(target_arch = "bpf"))]
fn main() {}
