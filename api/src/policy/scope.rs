//! Pods that are judged by settings of their own.

use std::sync::Arc;

use detect::Settings;

use crate::selector::Selector;

/// Pods that are judged by settings of their own.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Which pods.
    pub selector: Selector,
    /// By which settings.
    pub settings: Arc<Settings>,
}
