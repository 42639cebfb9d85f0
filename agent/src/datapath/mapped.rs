//! Memory-mapped BPF arrays.
#![expect(unsafe_code, reason = "a mapping is memory that the kernel shares")]

use std::{
    ffi::c_void,
    fmt, io,
    marker::PhantomData,
    os::fd::AsFd,
    path::Path,
    ptr::NonNull,
    slice,
    sync::atomic::{
        AtomicU64,
        Ordering::{Relaxed, Release},
    },
};

use agent_common::{Bucket, RingCursors, Settings, Slot};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::object::{ArrayMap, ObjectError, Programs};

/// A layout that may be shared with the kernel.
///
/// # Safety
///
/// Made of atomics only, with all bit patterns valid, and a size that is a multiple of 8: the kernel
/// rounds the elements of an array up to that.
pub(super) unsafe trait Shared {}

// SAFETY: atomics of 64 bits only.
unsafe impl Shared for Slot {}
// SAFETY: atomics of 64 bits only.
unsafe impl Shared for Bucket {}
// SAFETY: atomics of 64 bits only.
unsafe impl Shared for Settings {}
// SAFETY: atomics of 64 bits only.
unsafe impl Shared for RingCursors {}
// SAFETY: an atomic of 64 bits.
unsafe impl Shared for AtomicU64 {}
// SAFETY: atomics of 64 bits only.
unsafe impl<const WORDS: usize> Shared for [AtomicU64; WORDS] {}

/// Why a map is not mapped.
#[derive(Debug, thiserror::Error)]
pub enum MappedError {
    /// The object lacks the map.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// The mapping failed.
    #[error(
        "cannot map {bytes} bytes of map {name} into memory: {source}; raise the memory limit or lower --slots"
    )]
    Map {
        /// The map.
        name: &'static str,
        /// Its size.
        bytes: usize,
        /// What the kernel said.
        source: io::Error,
    },
}

/// All elements of a memory-mapped array.
pub(super) struct Mapped<T> {
    start: NonNull<c_void>,
    length: usize,
    elements: PhantomData<T>,
}

// SAFETY: the elements are atomics, and the mapping belongs to the process.
unsafe impl<T: Shared> Send for Mapped<T> {}
// SAFETY: as above.
unsafe impl<T: Shared> Sync for Mapped<T> {}

impl<T: Shared> Mapped<T> {
    pub(super) fn new(programs: &mut Programs, name: &'static str) -> Result<Self, MappedError> {
        Self::of(&programs.take_array(name)?, name)
    }

    /// A map of any version, by its pin; of this one if `T` is more than words.
    pub(super) fn pinned(path: &Path, name: &'static str) -> Result<Self, MappedError> {
        Self::of(&ArrayMap::pinned(path, name)?, name)
    }

    fn of(map: &ArrayMap, name: &'static str) -> Result<Self, MappedError> {
        const { assert!(size_of::<T>().is_multiple_of(8)) };
        let length = map.bytes / size_of::<T>();
        let bytes = length * size_of::<T>();
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a fresh mapping that nothing else in the process refers to.
        let start = unsafe {
            mmap(
                std::ptr::null_mut(),
                bytes,
                protection,
                MapFlags::SHARED,
                map.as_fd(),
                0,
            )
        }
        .map_err(|error| MappedError::Map {
            name,
            bytes,
            source: error.into(),
        })?;
        let start = NonNull::new(start).ok_or_else(|| MappedError::Map {
            name,
            bytes,
            source: io::ErrorKind::OutOfMemory.into(),
        })?;
        Ok(Self {
            start,
            length,
            elements: PhantomData,
        })
    }

    /// The same, word by word.
    pub(super) const fn words(&self) -> &[AtomicU64] {
        let words = self.length * size_of::<T>() / size_of::<AtomicU64>();
        // SAFETY: as for `elements`; `T: Shared` is made of such words.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast::<AtomicU64>(), words) }
    }

    pub(super) const fn elements(&self) -> &[T] {
        // SAFETY: the mapping holds that many elements for as long as `self` lives, and `T: Shared`
        // allows the kernel to change them meanwhile.
        unsafe { slice::from_raw_parts(self.start.as_ptr().cast::<T>(), self.length) }
    }
}

impl Mapped<Settings> {
    pub(super) fn set_sample_rate(&self, rate: u32) {
        for settings in self.elements() {
            settings.sample_rate.store(u64::from(rate), Relaxed);
        }
    }

    pub(super) fn set_caps(&self, records_per_drain: u64, samples_per_drain: u64) {
        for settings in self.elements() {
            settings.records_per_drain.store(records_per_drain, Relaxed);
            settings.samples_per_drain.store(samples_per_drain, Relaxed);
        }
    }

    /// Lets so many trips hold their pod.
    pub(super) fn set_holds(&self, holds: i64) {
        for settings in self.elements() {
            settings.holds.store(holds, Release);
        }
    }

    /// For the agent that takes over.
    pub(super) fn set_seed(&self, seed: u64) {
        for settings in self.elements() {
            settings.seed.store(seed, Relaxed);
        }
    }
}

impl<T> Drop for Mapped<T> {
    fn drop(&mut self) {
        // SAFETY: the mapping was made by `new`, and no reference outlives `self`.
        let unmapped = unsafe { munmap(self.start.as_ptr(), self.length * size_of::<T>()) };
        debug_assert!(unmapped.is_ok(), "a mapping of our own can be unmapped");
    }
}

impl<T> fmt::Debug for Mapped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mapped")
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}
