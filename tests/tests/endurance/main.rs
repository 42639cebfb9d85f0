//! Whatever dies, every event that was durable arrives once, in its node's order.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is tests, not only the functions that say so"
)]

mod collector;
mod courier;
mod full;
mod killing;
mod ledger;
