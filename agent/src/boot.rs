//! Which boot of the machine this is: what the kernel numbers begins anew with the next.

use std::fs;

/// Tells this boot from every other; empty when the kernel does not say.
#[must_use]
pub fn id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.unwrap_or_default().trim().to_owned()
}
