//! Where a value came from.

use std::fmt;

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Origin {
    /// Nobody gave it.
    Default,
    /// The flag of the key.
    Flag(&'static str),
    /// The environment variable of the key.
    Environment(&'static str),
    /// The configuration file.
    File { path: String, line: u64 },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("by default"),
            Self::Flag(key) => write!(f, "from --{}", key.replace('_', "-")),
            Self::Environment(key) => write!(f, "from PICKET_{}", key.to_uppercase()),
            Self::File { path, line } => write!(f, "from {path} line {line}"),
        }
    }
}
