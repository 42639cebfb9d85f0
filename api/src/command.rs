//! Commands of people to agents: signed by a key whose certificate names an operator.

mod signer;
mod verifier;

use std::time::Duration;

use prost::Message as _;
pub use signer::Signer;
pub use verifier::{Verified, Verifier, VerifyError};

use crate::v1;

/// The longest that a command may wait to be obeyed.
pub const LONGEST_LIFE: Duration = Duration::from_secs(300);
/// Largest encoded command, and largest encoding of what carries it.
pub const LARGEST_COMMAND: usize = 4096;
/// Of the command with certificates and signature.
pub const LARGEST: usize = 32 * 1024;

/// How far clocks may differ.
pub const SKEW: Duration = Duration::from_secs(60);
/// The longest id, and the longest reason.
const LONGEST_ID: usize = 64;
const LONGEST_REASON: usize = 1024;

/// So that nothing else that the key signs can be taken for a command.
const CONTEXT: &[u8] = b"picket.v1.Command\0";

/// What a command says, whoever signed it; none when it is no command.
#[must_use]
pub fn said(signed: &v1::SignedCommand) -> Option<v1::Command> {
    let command = &signed.command[..];
    let command = v1::Command::decode(command).ok()?;
    (signed.command.len() <= LARGEST_COMMAND && command.id.len() <= LONGEST_ID).then_some(command)
}

/// What is signed.
fn signed(command: &[u8]) -> Vec<u8> {
    [CONTEXT, command].concat()
}

#[cfg(test)]
#[cfg(feature = "certificates")]
mod tests;
