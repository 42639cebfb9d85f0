//! Runs packets through the loaded programs without a wire, by BPF_PROG_TEST_RUN.

use agent_common::Direction;
use aya::programs::{ProgramError, SchedClassifier, TestRun as _, TestRunOptions};

/// Size of `struct __sk_buff` and the place of `ifindex` in it (linux/bpf.h).
const CONTEXT_BYTES: usize = 192;
const CONTEXT_IFINDEX: usize = 40;

/// Why a packet was not run.
#[derive(Debug, thiserror::Error)]
#[error(
    "the kernel did not run a packet of {bytes} bytes on interface index {ifindex}: {source}; it takes \
     none shorter than its Ethernet or IP header, and only on an interface of the caller's namespace"
)]
pub struct InjectError {
    /// Length of the packet.
    pub bytes: usize,
    /// Where it was to be run.
    pub ifindex: u32,
    /// What the kernel said.
    pub source: Box<ProgramError>,
}

/// Handles of its own to the loaded programs, so that it may run beside a drain.
#[derive(Debug)]
pub struct Injector {
    pub(super) from_pod: SchedClassifier,
    pub(super) to_pod: SchedClassifier,
}

impl Injector {
    /// Runs a packet, from its Ethernet header on, `repeat` times as if it passed the interface.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn run(
        &self,
        direction: Direction,
        ifindex: u32,
        packet: &[u8],
        repeat: u32,
    ) -> Result<(), InjectError> {
        let program = match direction {
            Direction::FromPod => &self.from_pod,
            Direction::ToPod => &self.to_pod,
        };
        let mut context = [0; CONTEXT_BYTES];
        context[CONTEXT_IFINDEX..][..4].copy_from_slice(&ifindex.to_ne_bytes());
        let options = TestRunOptions {
            data_in: Some(packet),
            ctx_in: Some(&context),
            repeat,
            ..TestRunOptions::new()
        };
        program
            .test_run(options)
            .map(|_| ())
            .map_err(|error| InjectError {
                bytes: packet.len(),
                ifindex,
                source: Box::new(error),
            })
    }
}
