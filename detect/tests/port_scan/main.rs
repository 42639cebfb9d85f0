//! What the port scan detector makes of the traffic of pods.

mod benign;
mod life;
mod opening;
mod replay;
