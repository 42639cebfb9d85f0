//! A datapath that watches many interfaces of a namespace of their own.

use std::fmt::Write as _;

use agent::datapath::{Attach, Config, Datapath, Pin};
use anyhow::Result;
use detect::Subject;

use crate::Namespace;

const FIRST_IFINDEX: u32 = 1000;
/// What an agent samples by default.
const SAMPLE_RATE: u32 = 16;

/// Runs `inside` with an even number of watched interfaces, both ends of each veth, in their
/// namespace and within a tokio runtime.
///
/// # Errors
/// When they cannot be made or watched, or `inside` fails.
pub fn watching<T: Send>(
    interfaces: u32,
    inside: impl FnOnce(&mut Datapath, &[Subject]) -> Result<T> + Send,
) -> Result<T> {
    let namespace = Namespace::new()?;
    let ends: Vec<u32> = (FIRST_IFINDEX..).take(interfaces as usize).collect();
    let mut lines = String::new();
    for pair in ends.chunks(2) {
        let (one, other) = (pair[0], pair[1]);
        writeln!(
            lines,
            "link add v{one} index {one} type veth peer name v{other} index {other}"
        )?;
    }
    namespace.ip(&lines)?;
    namespace.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let _entered = runtime.enter();
        let mut datapath = Datapath::load(&Config {
            slots: interfaces,
            sample_rate: SAMPLE_RATE,
            samples_per_drain: 0,
            attach: Attach::Auto,
            pin: Pin::Nowhere,
            kernel_log: None,
            seed: None,
        })?;
        let subjects = ends
            .iter()
            .map(|&ifindex| Ok(datapath.watch(ifindex)?))
            .collect::<Result<Vec<_>>>()?;
        inside(&mut datapath, &subjects)
    })?
}
