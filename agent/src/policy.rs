//! Which policy is in force on the node, and what nobody was told of because of it.

mod hits;
mod hushed;
mod in_force;
mod kept;
mod metrics;

pub use self::{
    hits::Hits,
    hushed::Hushed,
    in_force::{InForce, Standing},
    kept::{Kept, KeptError},
    metrics::Metrics,
};
