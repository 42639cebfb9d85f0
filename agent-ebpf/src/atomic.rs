//! Atomic operations, which `core` does not offer or cannot compile on the BPF target.
//!
//! Loads and stores are volatile: an aligned word is one instruction, and the backend has none for
//! an atomic load below CPU v4. With relaxed ordering the BPF backend lowers a fetch-add whose result is used to a plain add, and
//! then takes the operand for the old value. Hence `AcqRel` throughout.
#![expect(unsafe_code, reason = "the intrinsics take pointers")]

use core::sync::atomic::{AtomicI64, AtomicU64};

use core::intrinsics::{AtomicOrdering::AcqRel, atomic_and, atomic_or, atomic_xadd, atomic_xchg};

/// The value now.
#[inline(always)]
pub(crate) fn load(cell: &AtomicU64) -> u64 {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { cell.as_ptr().read_volatile() }
}

/// Sets the value.
#[inline(always)]
pub(crate) fn store(cell: &AtomicU64, value: u64) {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { cell.as_ptr().write_volatile(value) }
}

/// Adds, and returns the value before.
#[inline(always)]
pub(crate) fn fetch_add(cell: &AtomicU64, value: u64) -> u64 {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { atomic_xadd::<u64, u64, { AcqRel }>(cell.as_ptr(), value) }
}

/// Sets the value, after everything before it.
///
/// # Safety
///
/// The pointer must be valid and aligned.
#[inline(always)]
pub(crate) unsafe fn publish(cell: *mut u32, value: u32) {
    // SAFETY: the caller hands in a valid pointer.
    unsafe { atomic_xchg::<u32, { AcqRel }>(cell, value) };
}

/// Subtracts one, and returns the value before.
#[inline(always)]
pub(crate) fn fetch_decrement(cell: &AtomicI64) -> i64 {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { atomic_xadd::<i64, i64, { AcqRel }>(cell.as_ptr(), -1) }
}

/// Sets bits, and returns the value before.
#[inline(always)]
pub(crate) fn fetch_or(cell: &AtomicU64, bits: u64) -> u64 {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { atomic_or::<u64, u64, { AcqRel }>(cell.as_ptr(), bits) }
}

/// Clears the bits that are not in `bits`, and returns the value before.
#[inline(always)]
pub(crate) fn fetch_and(cell: &AtomicU64, bits: u64) -> u64 {
    // SAFETY: the pointer comes from a reference to an atomic.
    unsafe { atomic_and::<u64, u64, { AcqRel }>(cell.as_ptr(), bits) }
}
