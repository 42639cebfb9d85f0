//! What the IP sweep detector makes of the traffic of pods.

mod life;
mod model;
mod opening;
mod play;
