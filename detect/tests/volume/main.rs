//! What the detectors of floods and of unusual volume make of the traffic of pods.

mod floods;
mod life;
mod model;
mod replay;
mod stored;
mod usual;
