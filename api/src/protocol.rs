//! What agents and collectors of different versions may send each other.
//!
//! Whoever does not know a field, a value of an enumeration or an item of a stream passes over it, and goes on. So most
//! of what is new needs no number; what does, is counted here.

/// What this version understands; `Hello` and `Welcome` say it.
pub const PROTOCOL: u32 = 2;

/// From here on agents take commands, and collectors what became of them. A collector before that ends the stream
/// of an agent that tells it.
pub const COMMANDS: u32 = 2;

/// What somebody understands who said this; who says nothing was made before there was anything to say.
#[must_use]
pub const fn understood(said: u32) -> u32 {
    if said == 0 { 1 } else { said }
}
