//! Why a connection was turned away, for those who count.

use std::fmt;

/// Why a connection was turned away, or ended by the server.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Refused {
    /// There are too many connections.
    Connections,
    /// There are too many from its address.
    AddressConnections,
    /// Connections come too fast from its address.
    AddressRate,
    /// It is no TLS, or no certificate that can be used.
    Handshake,
    /// Its handshake took too long.
    SlowHandshake,
    /// Its handshake stalled while others waited.
    StalledHandshake,
    /// It asked for nothing.
    Silent,
    /// Its certificate is no longer accepted.
    Revoked,
    /// It asked too often.
    RequestRate,
}

impl Refused {
    /// Every reason there is.
    pub const ALL: [Self; 9] = [
        Self::Connections,
        Self::AddressConnections,
        Self::AddressRate,
        Self::Handshake,
        Self::SlowHandshake,
        Self::StalledHandshake,
        Self::Silent,
        Self::Revoked,
        Self::RequestRate,
    ];

    /// What it is called in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Connections => "connections",
            Self::AddressConnections => "address_connections",
            Self::AddressRate => "address_rate",
            Self::Handshake => "handshake",
            Self::SlowHandshake => "slow_handshake",
            Self::StalledHandshake => "stalled_handshake",
            Self::Silent => "silent",
            Self::Revoked => "revoked",
            Self::RequestRate => "request_rate",
        }
    }
}

/// What became of secrets that were read again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Reread {
    /// They are used from now on.
    Taken,
    /// They cannot be used: those before stay.
    Broken,
}

impl Reread {
    /// Whatever can become of them.
    pub const ALL: [Self; 2] = [Self::Taken, Self::Broken];

    /// What it is called in metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Broken => "broken",
        }
    }
}

/// Who counts what a server turns away.
pub trait Tally: fmt::Debug + Send + Sync {
    /// A connection was.
    fn refused(&self, refused: Refused);
    /// Secrets were read again.
    fn reread(&self, reread: Reread);
}

/// Nobody.
impl Tally for () {
    fn refused(&self, _: Refused) {}
    fn reread(&self, _: Reread) {}
}
