//! The maps of the programs are no larger than promised, and of kinds that no packet can grow.

use std::{collections::BTreeSet, env, fs, path::Path};

use anyhow::{Context, Result, ensure};
use aya::maps::MapType;
use object::{Object as _, ObjectSection as _, SectionKind};
use tests::{Kernel, maps_at, without_root};

const MIB: u64 = 1 << 20;

#[test]
fn the_maps_fit_into_their_budget() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    for (slots, limit) in [(110, 8 * MIB), (250, 16 * MIB)] {
        let maps = Kernel::with_slots(slots, async |kernel: Kernel| {
            maps_at(kernel.subject.ifindex)
        })?;
        let slots_bytes = u64::from(slots) * size_of::<agent_common::Slot>() as u64;
        let bytes: u64 = maps.iter().map(|map| map.bytes).sum();
        ensure!(bytes > slots_bytes, "not all is accounted: {maps:?}");
        ensure!(bytes <= limit, "{slots} slots take {bytes} bytes: {maps:?}");
    }
    Ok(())
}

#[test]
fn every_map_has_its_size_from_the_start() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    Kernel::with(async |kernel: Kernel| {
        for map in maps_at(kernel.subject.ifindex)? {
            ensure!(
                matches!(
                    map.kind,
                    MapType::Array | MapType::PerCpuArray | MapType::RingBuf
                ),
                "{} is a {:?}, which traffic may grow or evict from",
                map.name,
                map.kind
            );
        }
        Ok(())
    })
}

/// Numbers of helpers (linux/bpf.h).
const MAP_UPDATE_ELEM: i32 = 2;
const MAP_DELETE_ELEM: i32 = 3;
const MAP_PUSH_ELEM: i32 = 87;
const RINGBUF: std::ops::RangeInclusive<i32> = 130..=132;

#[test]
fn no_packet_path_inserts_into_a_map() -> Result<()> {
    let called = helpers_called()?;
    ensure!(
        RINGBUF.into_iter().any(|helper| called.contains(&helper)),
        "the programs write no records: {called:?}"
    );
    for helper in [MAP_UPDATE_ELEM, MAP_DELETE_ELEM, MAP_PUSH_ELEM] {
        ensure!(!called.contains(&helper), "helper {helper} is called");
    }
    Ok(())
}

/// Opcode of a call; source register 0 means that of a helper (RFC 9669, 4.3).
const CALL: u8 = 0x85;
const SOURCE_REGISTER: u8 = 0xf0;

/// Numbers of the helpers that any instruction of the programs calls.
fn helpers_called() -> Result<BTreeSet<i32>> {
    let here = env::current_exe()?;
    let mut places = here.ancestors().map(|it| it.join("bpf/picket-programs.o"));
    let built = places.find(|path| Path::exists(path));
    let bytes = fs::read(built.context("no object: run `cargo xtask build-ebpf`")?)?;
    let object = object::File::parse(&*bytes)?;
    let mut called = BTreeSet::new();
    for section in object
        .sections()
        .filter(|it| it.kind() == SectionKind::Text)
    {
        for instruction in section.data()?.as_chunks::<8>().0 {
            let [opcode, registers, _, _, immediate @ ..] = *instruction;
            if opcode == CALL && registers & SOURCE_REGISTER == 0 {
                called.insert(i32::from_le_bytes(immediate));
            }
        }
    }
    Ok(called)
}
