//! How many packets each CPU still skips before it samples one.

use std::fmt;

use agent_common::SKIP_MAP;
use aya::{
    maps::{MapData, PerCpuArray, PerCpuValues},
    util::nr_cpus,
};
use tracing::warn;

use super::object::{ObjectError, Programs};

/// The CPUs' counts. They read the sample rate only when these are spent.
pub(super) struct Skip(PerCpuArray<MapData, u32>);

impl Skip {
    pub(super) fn new(programs: &mut Programs) -> Result<Self, ObjectError> {
        programs.take_per_cpu(SKIP_MAP).map(Self)
    }

    /// Makes every CPU read the rate at its next packet. One that counts down at this very moment may
    /// keep its count once more.
    pub(super) fn clear(&mut self) {
        let cleared = nr_cpus()
            .map_err(|(what, error)| format!("{what}: {error}"))
            .and_then(|cpus| {
                PerCpuValues::try_from(vec![0; cpus]).map_err(|error| error.to_string())
            })
            .and_then(|zeros| self.0.set(0, zeros, 0).map_err(|error| error.to_string()));
        if let Err(error) = cleared {
            warn!(
                error,
                "a new sample rate takes effect only after the packets that are skipped at the old one"
            );
        }
    }
}

impl fmt::Debug for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Skip").finish_non_exhaustive()
    }
}
