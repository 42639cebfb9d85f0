//! Gives up what the agent may do and need not, once it has begun.

use std::io;

use rustix::{
    io::Errno,
    thread::{
        CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
        remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
    },
};

/// To attach to interfaces that come later, to look after programs that are attached, and on kernels
/// before 5.19 to do anything with BPF at all.
const KEPT: CapabilitySet = CapabilitySet::BPF.union(CapabilitySet::NET_ADMIN);

/// Why rights were not given up.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}; check the container's seccomp profile")]
pub struct RightsError {
    action: &'static str,
    source: io::Error,
}

/// What the calling thread may do now.
#[must_use]
pub fn held() -> CapabilitySet {
    capabilities(None).map_or(CapabilitySet::empty(), |sets| sets.effective)
}

/// Leaves the calling thread, and those that it starts later, BPF and NET_ADMIN of what it has, and
/// nothing new for ever.
///
/// # Errors
///
/// When the kernel refuses.
pub fn give_up() -> Result<(), RightsError> {
    let failed = |action| {
        move |error: Errno| RightsError {
            action,
            source: error.into(),
        }
    };
    set_no_new_privs(true).map_err(failed("renounce new privileges"))?;
    clear_ambient_capability_set().map_err(failed("clear the ambient capabilities"))?;
    for capability in CapabilitySet::all() & !KEPT {
        match remove_capability_from_bounding_set(capability) {
            // Without SETPCAP it cannot be, and of what this kernel does not know there is nothing.
            Ok(()) | Err(Errno::PERM | Errno::INVAL) => {}
            Err(error) => return Err(failed("bound the capabilities")(error)),
        }
    }
    let held = capabilities(None).map_err(failed("read the capabilities"))?;
    let kept = held.permitted & KEPT;
    let sets = CapabilitySets {
        effective: kept,
        permitted: kept,
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, sets).map_err(failed("give up capabilities"))
}
