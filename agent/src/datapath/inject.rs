//! Runs packets through the loaded programs without a wire, by BPF_PROG_TEST_RUN.

use std::io;

use agent_common::Direction;
use aya::programs::{ProgramError, SchedClassifier, TestRun as _, TestRunOptions};

/// Size of `struct __sk_buff`, and the places of its fields (linux/bpf.h).
const CONTEXT_BYTES: usize = 192;
const CONTEXT_INGRESS_IFINDEX: usize = 36;
const CONTEXT_IFINDEX: usize = 40;
const CONTEXT_GSO_SEGS: usize = 164;
const CONTEXT_GSO_SIZE: usize = 176;

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

impl InjectError {
    /// Whether the kernel takes no packet of this shape.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(
            &*self.source,
            ProgramError::SyscallError(error) if error.io_error.kind() == io::ErrorKind::InvalidInput
        )
    }
}

/// Handles of its own to the loaded programs, so that it may run beside a drain.
#[derive(Debug)]
pub struct Injector {
    pub(super) from_pod: SchedClassifier,
    pub(super) to_pod: SchedClassifier,
}

/// How a packet passes an interface.
#[derive(Clone, Copy, Debug, Default)]
pub struct Passage {
    /// Index of the interface.
    pub ifindex: u32,
    /// Index of the interface it came in by, or 0.
    pub ingress_ifindex: u32,
    /// Segments of a GSO super-packet, or 0.
    pub segments: u32,
    /// Payload bytes of each, or 0.
    pub segment_bytes: u16,
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
        let passage = Passage {
            ifindex,
            ..Passage::default()
        };
        self.test_run(direction, packet, passage, repeat)
            .map(|_| ())
    }

    /// Runs a packet, from its Ethernet header on, once; what the program returned.
    ///
    /// # Errors
    ///
    /// When the kernel refuses.
    pub fn pass(
        &self,
        direction: Direction,
        packet: &[u8],
        passage: Passage,
    ) -> Result<i32, InjectError> {
        self.test_run(direction, packet, passage, 1)
    }

    fn test_run(
        &self,
        direction: Direction,
        packet: &[u8],
        passage: Passage,
        repeat: u32,
    ) -> Result<i32, InjectError> {
        let program = match direction {
            Direction::FromPod => &self.from_pod,
            Direction::ToPod => &self.to_pod,
        };
        let mut context = [0; CONTEXT_BYTES];
        for (place, value) in [
            (CONTEXT_INGRESS_IFINDEX, passage.ingress_ifindex),
            (CONTEXT_IFINDEX, passage.ifindex),
            (CONTEXT_GSO_SEGS, passage.segments),
            (CONTEXT_GSO_SIZE, passage.segment_bytes.into()),
        ] {
            context[place..][..4].copy_from_slice(&value.to_ne_bytes());
        }
        let options = TestRunOptions {
            data_in: Some(packet),
            ctx_in: Some(&context),
            repeat,
            ..TestRunOptions::new()
        };
        program
            .test_run(options)
            .map(|result| result.return_value.cast_signed())
            .map_err(|error| InjectError {
                bytes: packet.len(),
                ifindex: passage.ifindex,
                source: Box::new(error),
            })
    }
}
