//! The ways to attach programs, and which one an interface takes.

use std::{str::FromStr, time::Duration};

use detect::Time;

use super::{
    chain,
    kernel::{self, KernelError},
    side::SIDES,
};

/// How to attach, as configured.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Attach {
    /// tcx where the kernel has it, and clsact for interfaces that come in a crowd.
    #[default]
    Auto,
    /// tcx or nothing.
    Tcx,
    /// clsact always.
    Clsact,
}

impl FromStr for Attach {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "auto" => Ok(Self::Auto),
            "tcx" => Ok(Self::Tcx),
            "clsact" => Ok(Self::Clsact),
            _ => Err(format!("`{text}` is none of auto, tcx and clsact")),
        }
    }
}

/// How programs are attached.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Attachment {
    /// tcx links, first in the chain (Linux 6.6).
    Tcx,
    /// Filters on the clsact qdisc.
    Clsact,
}

impl Attachment {
    /// As status and metrics spell it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcx => "tcx",
            Self::Clsact => "clsact",
        }
    }
}

/// An interface that comes this soon after another is one of a crowd.
const CROWD: Duration = Duration::from_secs(1);

/// Which way an interface takes.
///
/// A pod that lives for a tenth of a second is seen when its interface is watched at once. tcx takes two RCU
/// grace periods for each interface, some 25 ms: of those that come together the last would wait for all others.
/// So only one that comes alone is attached by tcx, and whatever is there at the start; and whoever shares an interface with programs of others on
/// tcx, which can end the chain before any filter is run.
#[derive(Debug)]
pub(super) struct Ways {
    preferred: Attachment,
    may_mix: bool,
    /// What was there at the start is watched.
    has_started: bool,
    last: Option<Time>,
}

impl Ways {
    pub(super) fn choose(attach: Attach) -> Result<Self, KernelError> {
        let preferred = match attach {
            Attach::Clsact => Attachment::Clsact,
            Attach::Auto | Attach::Tcx if kernel::has_tcx() => Attachment::Tcx,
            Attach::Auto => Attachment::Clsact,
            Attach::Tcx => return Err(kernel::no_tcx()),
        };
        Ok(Self {
            preferred,
            may_mix: attach == Attach::Auto && preferred == Attachment::Tcx,
            has_started: false,
            last: None,
        })
    }

    pub(super) const fn start(&mut self) {
        self.has_started = true;
    }

    pub(super) const fn preferred(&self) -> Attachment {
        self.preferred
    }

    /// Whether a filter on clsact may be ours although tcx is preferred.
    pub(super) const fn may_mix(&self) -> bool {
        self.may_mix
    }

    /// That of an interface which is there at `now`.
    pub(super) fn of(&mut self, ifindex: u32, now: Time) -> Attachment {
        if self.may_mix && self.is_crowded(now) && !is_shared(ifindex) {
            Attachment::Clsact
        } else {
            self.preferred
        }
    }

    fn is_crowded(&mut self, now: Time) -> bool {
        let last = self.last.replace(now);
        self.has_started && last.is_some_and(|last| now.since(last) < CROWD)
    }
}

/// Whether anybody has a program there by tcx. What cannot be told is taken for yes.
pub(super) fn is_shared(ifindex: u32) -> bool {
    SIDES
        .iter()
        .any(|&side| chain::programs(ifindex, side).map_or(true, |chain| !chain.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_within_a_second_of_another_is_in_a_crowd() {
        let mut ways = Ways {
            preferred: Attachment::Tcx,
            may_mix: true,
            has_started: false,
            last: None,
        };
        let at = |milliseconds: u64| Time::from_nanoseconds(milliseconds * 1_000_000);
        assert!(!ways.is_crowded(at(1)) && !ways.is_crowded(at(2)));
        ways.start();
        for (milliseconds, expected) in [
            (5_000, false),
            (5_001, true),
            (5_999, true),
            (6_998, true),
            (7_998, false),
            (7_998, true),
        ] {
            assert_eq!(
                ways.is_crowded(at(milliseconds)),
                expected,
                "{milliseconds}"
            );
        }
    }
}
