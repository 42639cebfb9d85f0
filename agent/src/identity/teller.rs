//! Who tells the node's pods.

/// Who told the pods that are known.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Teller {
    /// An agent before this one, or a collector that is away by now.
    #[default]
    Memory,
    /// The operator, in a file.
    Operator,
    /// A collector that is there.
    Collector,
}

impl Teller {
    /// Whether the pods are known as they are now, rather than as they were once.
    #[must_use]
    pub const fn is_current(self) -> bool {
        matches!(self, Self::Operator | Self::Collector)
    }
}
