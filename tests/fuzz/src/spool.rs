//! Whatever bytes are in a spool: opening it, reading it and writing on ends, in bounded memory.
#![no_main]

/// Parts of the agent, whose other parts need the compiled programs.
#[path = "../../../agent/src/deliver/spool"]
#[allow(dead_code, reason = "not all that others need is needed here")]
mod spool {
    pub(crate) mod disk;
    pub(crate) mod journal;
    pub(crate) mod ledger;
    pub(crate) mod loss;
    pub(crate) mod reader;
    pub(crate) mod record;
    #[path = "../../../../tests/fuzz/src/recovery.rs"]
    pub(crate) mod recovery;
    pub(crate) mod segment;
}

use libfuzzer_sys::fuzz_target;

fuzz_target!(init: spool::recovery::plant(), |input: &[u8]| {
    spool::recovery::run(input);
});
