//! Which pod is behind which interface, by its uid, for as long as the interface is there.

mod binder;
mod coverage;
mod memory;
mod teller;
mod unnamed;

pub use binder::{Binder, Former};
pub use coverage::coverage;
pub use memory::{Memory, MemoryError, Remembered, remember};
pub use teller::Teller;
pub use unnamed::Unnamed;
