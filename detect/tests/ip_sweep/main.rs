//! What the IP sweep detector makes of the traffic of pods.

mod life;
mod opening;
mod play;
