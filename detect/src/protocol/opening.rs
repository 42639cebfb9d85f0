//! What one side of a connection says first.

/// The first bytes that one side of a connection sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening<'a> {
    /// As many as were sampled.
    pub(crate) bytes: &'a [u8],
    /// How many there were in the first segment.
    pub(crate) length: usize,
    /// Whether the side that opened the connection sent them.
    pub(crate) by_client: bool,
}
