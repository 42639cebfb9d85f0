//! Whether a detector runs, and whether what it finds is to alarm anybody.

use std::{fmt, str::FromStr};

/// What a detector does with what it finds.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// It tells.
    #[default]
    On,
    /// It tells, and says that it is only tried out.
    Shadow,
    /// It does not run.
    Off,
}

impl Mode {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::On, Self::Shadow, Self::Off];

    /// As configuration spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::On => "on",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == name);
        mode.ok_or(UnknownMode)
    }
}

/// No mode has this name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("it takes on, shadow or off")]
pub struct UnknownMode;

/// One detector's mode and thresholds.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Setting<T> {
    /// What it does with what it finds.
    pub mode: Mode,
    /// When it finds something.
    pub thresholds: T,
}
