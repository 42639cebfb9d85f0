//! What a destination says to what it is sent.

use std::time::Duration;

/// How many of the events it took it will not keep, or why it took none.
pub(super) type Sent = Result<u64, Refusal>;

/// Why nothing was taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Refusal {
    /// It may be taken when it is sent again.
    Later {
        /// For people; without secrets.
        why: String,
        /// How long the destination asks to wait.
        after: Option<Duration>,
    },
    /// Not these events, however often they are sent.
    Never {
        reason: Reason,
        /// For people; without secrets.
        why: String,
    },
}

impl Refusal {
    pub(super) fn later(why: impl Into<String>) -> Self {
        Self::Later {
            why: why.into(),
            after: None,
        }
    }

    pub(super) fn never(reason: Reason, why: impl Into<String>) -> Self {
        Self::Never {
            reason,
            why: why.into(),
        }
    }
}

/// Why an event is given up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Reason {
    /// The destination will not have it.
    Refused,
    /// It cannot be written in the form that is asked for.
    Form,
    /// It is longer than the destination takes.
    TooLarge,
    /// It was tried for as long as the configuration allows.
    GaveUp,
}

impl Reason {
    pub(super) const ALL: [Self; 4] = [Self::Refused, Self::Form, Self::TooLarge, Self::GaveUp];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Form => "form",
            Self::TooLarge => "too_large",
            Self::GaveUp => "gave_up",
        }
    }
}
