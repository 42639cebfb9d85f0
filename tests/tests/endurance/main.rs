//! Whatever dies, every event that was durable arrives once, in its node's order.

mod collector;
mod courier;
mod full;
mod killing;
mod ledger;
