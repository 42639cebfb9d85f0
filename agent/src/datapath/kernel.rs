//! What the kernel must offer, and its clock.

use detect::Time;
use rustix::{system::uname, thread::CapabilitySet, time::ClockId};

/// The oldest kernel with all that the programs use.
pub const FLOOR: (u32, u32) = (5, 15);
/// The oldest kernel with tcx links.
pub const TCX: (u32, u32) = (6, 6);

/// Why this kernel will not do.
#[derive(Debug, thiserror::Error)]
pub enum KernelError {
    /// It is too old.
    #[error(
        "kernel {release} is too old: Picket needs Linux {}.{} or newer; upgrade the node's kernel",
        FLOOR.0, FLOOR.1
    )]
    TooOld {
        /// As uname tells it.
        release: String,
    },
    /// This process may not load programs.
    #[error(
        "this process lacks {missing}: run as root, or with the capabilities BPF, PERFMON and \
         NET_ADMIN"
    )]
    Rights {
        /// The capabilities, by name.
        missing: String,
    },
    /// tcx was asked for, and it has none.
    #[error(
        "kernel {release} has no tcx: it came with Linux {}.{}; use `--attach clsact` or `auto`",
        TCX.0, TCX.1
    )]
    NoTcx {
        /// As uname tells it.
        release: String,
    },
}

/// Nanoseconds since boot, on the clock that the programs stamp their records with.
#[must_use]
pub fn monotonic() -> Time {
    let now = rustix::time::clock_gettime(ClockId::Monotonic);
    let seconds = u64::try_from(now.tv_sec).unwrap_or(0);
    let nanoseconds = u64::try_from(now.tv_nsec).unwrap_or(0);
    Time::from_nanoseconds(seconds * 1_000_000_000 + nanoseconds)
}

pub(super) fn check() -> Result<(), KernelError> {
    check_release(&release())?;
    // Where they cannot be read, loading will tell.
    let held = rustix::thread::capabilities(None).map(|sets| sets.effective);
    held.map_or(Ok(()), check_rights)
}

/// Without them the verifier refuses the programs for reasons that sound like faults of ours.
fn check_rights(held: CapabilitySet) -> Result<(), KernelError> {
    let needed = [
        (CapabilitySet::BPF | CapabilitySet::SYS_ADMIN, "BPF"),
        (CapabilitySet::PERFMON | CapabilitySet::SYS_ADMIN, "PERFMON"),
        (CapabilitySet::NET_ADMIN, "NET_ADMIN"),
    ];
    let missing = needed.iter().filter(|(any, _)| !held.intersects(*any));
    let missing: Vec<_> = missing.map(|&(_, name)| name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(KernelError::Rights {
        missing: missing.join(", "),
    })
}

pub(super) fn has_tcx() -> bool {
    version(&release()).is_some_and(|version| version >= TCX)
}

pub(super) fn no_tcx() -> KernelError {
    KernelError::NoTcx { release: release() }
}

fn release() -> String {
    uname().release().to_string_lossy().into_owned()
}

/// A release that cannot be read is given the benefit of the doubt: loading will tell.
fn check_release(release: &str) -> Result<(), KernelError> {
    match version(release) {
        Some(version) if version < FLOOR => Err(KernelError::TooOld {
            release: release.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Major and minor version, of a release as uname tells it.
#[must_use]
pub fn version(release: &str) -> Option<(u32, u32)> {
    let mut parts = release.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernels_below_the_floor_are_refused_by_name() {
        let cases = [
            ("5.10.0-28-amd64", false),
            ("4.19.0", false),
            ("5.15.0", true),
            ("6.1.0-18-cloud-amd64", true),
            ("7.0-rc1", true),
            ("unreadable", true),
        ];
        for (release, expected) in cases {
            let checked = check_release(release);
            assert_eq!(checked.is_ok(), expected, "{release}");
            if let Err(error) = checked {
                assert!(error.to_string().contains(release), "{error}");
                assert!(error.to_string().contains("5.15"), "{error}");
            }
        }
    }

    #[test]
    fn missing_capabilities_are_named() {
        use CapabilitySet as Set;
        let cases = [
            (Set::BPF | Set::PERFMON | Set::NET_ADMIN, None),
            (Set::SYS_ADMIN | Set::NET_ADMIN, None),
            (Set::BPF | Set::NET_ADMIN, Some("lacks PERFMON:")),
            (Set::SYS_ADMIN, Some("lacks NET_ADMIN:")),
            (Set::empty(), Some("lacks BPF, PERFMON, NET_ADMIN:")),
        ];
        for (held, says) in cases {
            let said = check_rights(held).err().map(|error| error.to_string());
            match (says, said) {
                (None, None) => {}
                (Some(says), Some(said)) => assert!(said.contains(says), "{held:?}: {said}"),
                (says, said) => panic!("{held:?}: {said:?} instead of {says:?}"),
            }
        }
    }
}
