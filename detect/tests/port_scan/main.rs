//! What the port scan detector makes of the traffic of pods.

mod benign;
mod evidence;
mod life;
mod model;
mod opening;
mod ports;
mod replay;
