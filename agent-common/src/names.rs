//! The names of programs, maps and globals, each spelled once for both sides of the boundary.

/// The classifier on the host side of a pod's veth, ingress: packets the pod sent.
pub const FROM_POD_PROGRAM: &str = "from_pod";
/// The classifier on the host side of a pod's veth, egress: packets on their way to the pod.
pub const TO_POD_PROGRAM: &str = "to_pod";

/// Memory-mapped array of [`Slot`](crate::Slot), one for each watched interface.
pub const SLOTS_MAP: &str = "SLOTS";
/// Memory-mapped array of [`Bucket`](crate::Bucket): which interface has which slot.
pub const BUCKETS_MAP: &str = "BUCKETS";
/// Memory-mapped array with one [`Settings`](crate::Settings).
pub const SETTINGS_MAP: &str = "SETTINGS";
/// Memory-mapped array of [`Record`](crate::Record), a ring.
pub const RECORDS_MAP: &str = "RECORDS";
/// Memory-mapped array with one [`RingCursors`](crate::RingCursors), those of the records.
pub const CURSORS_MAP: &str = "CURSORS";
/// Ring buffer that wakes user space up; what is in it says nothing.
pub const WAKEUPS_MAP: &str = "WAKEUPS";
/// Ring buffer of [`Sample`](crate::Sample).
pub const SAMPLES_MAP: &str = "SAMPLES";
/// Per-CPU array with one `u32`: packets to skip before the next bulk sample.
pub const SKIP_MAP: &str = "SKIP";

/// Read-only global with the secret per-boot seed of all hashes.
pub const SEED_GLOBAL: &str = "SEED";
