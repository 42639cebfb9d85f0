//! The pods of a node and their interfaces as bytes, for the agent that knows them before the collector tells.

use prost::Message;

use crate::{encoding::Damaged, v1};

/// What one agent knew.
#[derive(Clone, PartialEq, Message)]
pub struct Kept {
    /// The node's pods.
    #[prost(message, repeated, tag = "1")]
    pub pods: Vec<v1::Pod>,
    /// The node's interfaces.
    #[prost(message, repeated, tag = "2")]
    pub interfaces: Vec<KeptInterface>,
    /// What the cluster declares.
    #[prost(message, optional, tag = "3")]
    pub services: Option<v1::ServiceTable>,
    /// The boot that these interfaces are of: indexes and epochs begin anew with the next.
    #[prost(string, tag = "4")]
    pub boot: String,
}

/// One interface, and whose it was.
#[derive(Clone, PartialEq, Message)]
pub struct KeptInterface {
    /// The interface's index.
    #[prost(uint32, tag = "1")]
    pub ifindex: u32,
    /// Tells it from an earlier one of that index.
    #[prost(uint32, tag = "2")]
    pub epoch: u32,
    /// The pod's uid; empty when it was not known.
    #[prost(string, tag = "3")]
    pub pod: String,
    /// When the interface was made.
    #[prost(message, optional, tag = "4")]
    pub appeared_at: Option<v1::Timestamp>,
    /// What it was called.
    #[prost(string, tag = "5")]
    pub name: String,
    /// Those behind it, in text form.
    #[prost(string, repeated, tag = "6")]
    pub addresses: Vec<String>,
}

impl Kept {
    /// Its bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// What these bytes say.
    ///
    /// # Errors
    /// When they are damaged.
    pub fn read(bytes: &[u8]) -> Result<Self, Damaged> {
        Ok(Self::decode(bytes)?)
    }
}
