//! The programs at an interface and their maps, as the kernel accounts them.

use std::{
    collections::BTreeSet,
    fs,
    os::fd::{AsFd as _, AsRawFd as _},
};

use anyhow::{Context, Result, ensure};
use aya::{
    maps::{MapInfo, MapType},
    programs::{ProgramInfo, SchedClassifier, TcAttachType},
};
use rustix::net::{AddressFamily, SocketType, netdevice};

/// One map.
#[derive(Clone, Debug)]
pub struct KernelMap {
    /// Its name, of which the kernel keeps 15 bytes.
    pub name: String,
    /// Its kind.
    pub kind: MapType,
    /// What the kernel accounts for it, `memlock` of its descriptor.
    pub bytes: u64,
}

/// The one program at interface `ifindex` of this namespace, by tcx.
///
/// # Errors
/// When there is none or more than one, or the kernel has no tcx.
pub fn program_at(ifindex: u32, direction: TcAttachType) -> Result<ProgramInfo> {
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::DGRAM, None)?;
    let interface = netdevice::index_to_name(socket, ifindex)?;
    let (_, mut programs) = SchedClassifier::query_tcx(&interface, direction)
        .context("cannot ask what is attached by tcx: that needs Linux 6.6 or newer")?;
    let count = programs.len();
    ensure!(count == 1, "{count} programs at {interface}, not one");
    programs.pop().context("no program")
}

/// All maps of the two programs at interface `ifindex` of this namespace, by tcx.
///
/// # Errors
/// When they are not attached, or the kernel does not tell.
pub fn maps_at(ifindex: u32) -> Result<Vec<KernelMap>> {
    let mut ids = BTreeSet::new();
    for direction in [TcAttachType::Ingress, TcAttachType::Egress] {
        let maps = program_at(ifindex, direction)?.map_ids()?;
        ids.extend(maps.context("the kernel names no maps")?);
    }
    ids.into_iter().map(kernel_map).collect()
}

fn kernel_map(id: u32) -> Result<KernelMap> {
    let map = MapInfo::from_id(id)?;
    let descriptor = map.fd()?;
    let number = descriptor.as_fd().as_raw_fd();
    let told = fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
    let bytes = told
        .lines()
        .find_map(|line| line.strip_prefix("memlock:"))
        .with_context(|| format!("the kernel accounts nothing for map {id}:\n{told}"))?;
    Ok(KernelMap {
        name: map.name_as_str().unwrap_or_default().to_owned(),
        kind: map.map_type()?,
        bytes: bytes.trim().parse()?,
    })
}
