//! Real scanners in real labs: every count equals what the oracle makes of a capture at the same veth.

mod bridged;
mod lab;
mod routed;
