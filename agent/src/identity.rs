//! Which pod is behind which interface, by its uid, for as long as the interface is there.

mod binder;
mod coverage;
mod memory;
mod unnamed;

pub use binder::{Binder, Bound};
pub use coverage::coverage;
pub use memory::{Memory, MemoryError, Remembered, remember};
pub use unnamed::Unnamed;
