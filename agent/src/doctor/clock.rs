//! Whether somebody keeps the node's clock in time, as its kernel knows.
#![expect(unsafe_code, reason = "a system call that no library wraps")]

use std::{io, mem::MaybeUninit};

use api::v1::Finding;

use super::finding::{ok, unknown, warning};

const CHECK: &str = "clock_synchronized";
const REMEDY: &str = "let the node keep its time by NTP (chronyd, systemd-timesyncd): events of several nodes are put in order by it";

/// What the kernel says of its clock.
struct Told {
    /// Nobody has set it for hours, or at all.
    unsynchronized: bool,
    /// By how much it may be wrong.
    most_microseconds: i64,
}

pub(super) fn examine() -> Finding {
    finding(told())
}

fn finding(told: io::Result<Told>) -> Finding {
    match told {
        Ok(told) if !told.unsynchronized => ok(
            CHECK,
            format!("right to within {} ms", told.most_microseconds / 1000),
        ),
        Ok(_) => warning(
            CHECK,
            "the kernel does not know of anybody who keeps the clock in time",
            REMEDY,
        ),
        Err(error) => unknown(CHECK, format!("the kernel does not tell: {error}"), REMEDY),
    }
}

/// Asks, and sets nothing: no bit of `modes` is set (adjtimex(2)).
fn told() -> io::Result<Told> {
    let mut asked = MaybeUninit::<libc::timex>::zeroed();
    // SAFETY: the kernel writes to a `timex`, which outlives the call.
    let state = unsafe { libc::adjtimex(asked.as_mut_ptr()) };
    if state < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it is made of integers, each of which may be anything.
    let asked = unsafe { asked.assume_init() };
    Ok(Told {
        unsynchronized: state == libc::TIME_ERROR || asked.status & libc::STA_UNSYNC != 0,
        most_microseconds: asked.maxerror,
    })
}

#[cfg(test)]
mod tests {
    use api::v1::Verdict;

    use super::*;

    #[test]
    fn a_clock_that_nobody_keeps_is_found_with_what_to_do() {
        let told = |unsynchronized| Told {
            unsynchronized,
            most_microseconds: 16_500,
        };
        let refused = io::Error::from_raw_os_error(libc::EPERM);
        for (told, verdict, part) in [
            (Ok(told(false)), Verdict::Ok, "within 16 ms"),
            (Ok(told(true)), Verdict::Warning, "does not know"),
            (Err(refused), Verdict::Unspecified, "does not tell"),
        ] {
            let finding = finding(told);
            assert_eq!(finding.verdict(), verdict);
            assert!(finding.found.contains(part), "{finding:?}");
            assert_eq!(finding.remedy.is_empty(), verdict == Verdict::Ok);
        }
        assert_ne!(
            examine().verdict(),
            Verdict::Unspecified,
            "this kernel tells"
        );
    }
}
