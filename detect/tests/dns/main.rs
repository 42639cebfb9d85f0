//! What the DNS detectors make of the messages of pods.

mod dga;
mod wire;
