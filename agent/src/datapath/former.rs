//! A slot that a former agent had assigned.

use detect::Subject;

use super::link::Links;
use crate::whose::Whose;

/// A slot that a former agent had assigned.
#[derive(Debug)]
pub(super) struct Former {
    pub(super) subject: Subject,
    pub(super) slot: u32,
    pub(super) whose: Whose,
    /// None when the interface is gone: what the slot counted is all that there will be.
    pub(super) links: Option<Links>,
}
