//! Runs many different packets through a program in one test run, beside the empty program.

use std::path::PathBuf;

use agent_common::bench::{
    CAROUSEL_PROGRAM, EMPTY_PROGRAM, PACKET_WORDS, PACKETS, PACKETS_MAP, PROGRAMS_MAP, TAKEN_MAP,
};
use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf, EbpfLoader,
    maps::{Array, MapData, ProgramArray},
    programs::{ProgramFd, SchedClassifier, TestRun as _, TestRunOptions},
};

use crate::report;

/// Size of `struct __sk_buff` and the place of `ifindex` in it (linux/bpf.h).
const CONTEXT_BYTES: usize = 192;
const CONTEXT_IFINDEX: usize = 40;

/// Shorter packets are padded to what the carousel puts into them.
const HEADER_BYTES: usize = PACKET_WORDS * 8;

/// The benchmark's own programs.
pub(super) struct Carousel {
    ebpf: Ebpf,
    packets: Array<MapData, [u64; PACKET_WORDS]>,
    taken: Array<MapData, u64>,
    programs: ProgramArray<MapData>,
    empty: ProgramFd,
    first: Vec<u8>,
    ifindex: u32,
}

impl Carousel {
    /// Loads them, to run packets as if they passed `ifindex` of this namespace.
    pub(super) fn load(ifindex: u32) -> Result<Self> {
        let object = object()?;
        let mut ebpf = EbpfLoader::new().load_file(&object).with_context(|| {
            format!(
                "cannot load {}: run `cargo xtask bench kernel`, which builds it",
                object.display()
            )
        })?;
        for name in [EMPTY_PROGRAM, CAROUSEL_PROGRAM] {
            classifier(&mut ebpf, name)?.load()?;
        }
        let empty = classifier(&mut ebpf, EMPTY_PROGRAM)?.fd()?.try_clone()?;
        let mut take = |name: &str| {
            ebpf.take_map(name)
                .with_context(|| format!("the benchmark's object has no map {name}"))
        };
        Ok(Self {
            packets: take(PACKETS_MAP)?.try_into()?,
            taken: take(TAKEN_MAP)?.try_into()?,
            programs: take(PROGRAMS_MAP)?.try_into()?,
            empty,
            first: Vec::new(),
            ifindex,
            ebpf,
        })
    }

    /// Puts packets of one length and ether type on it; as often as it takes to fill it.
    pub(super) fn fill(&mut self, packets: &[Vec<u8>]) -> Result<()> {
        self.first = padded(packets.first().context("no packets")?);
        for index in 0..PACKETS {
            let packet = padded(&packets[index as usize % packets.len()]);
            ensure!(
                packet.len() == self.first.len() && packet[12..14] == self.first[12..14],
                "packets of one case differ in length or ether type"
            );
            let mut words = [0; PACKET_WORDS];
            for (word, bytes) in words.iter_mut().zip(packet.as_chunks().0) {
                *word = u64::from_ne_bytes(*bytes);
            }
            self.packets.set(index, words, 0)?;
        }
        Ok(())
    }

    /// Nanoseconds for each of `runs` packets through `program`; none is the empty program.
    pub(super) fn run(&mut self, program: Option<&ProgramFd>, runs: u32) -> Result<f64> {
        self.programs.set(0, program.unwrap_or(&self.empty), 0)?;
        self.taken.set(0, 0, 0)?;
        let carousel = classifier(&mut self.ebpf, CAROUSEL_PROGRAM)?;
        time(carousel, self.ifindex, &self.first, runs)
    }

    /// Runs the next `runs` packets through `program` as if they passed interface `ifindex`.
    pub(super) fn run_at(&mut self, ifindex: u32, program: &ProgramFd, runs: u32) -> Result<()> {
        self.programs.set(0, program, 0)?;
        let carousel = classifier(&mut self.ebpf, CAROUSEL_PROGRAM)?;
        time(carousel, ifindex, &self.first, runs).map(|_| ())
    }

    /// Nanoseconds for each of `runs` times this one packet goes through the empty program.
    pub(super) fn run_empty(&mut self, packet: &[u8], runs: u32) -> Result<f64> {
        let empty = classifier(&mut self.ebpf, EMPTY_PROGRAM)?;
        time(empty, self.ifindex, &padded(packet), runs)
    }
}

/// Where `cargo xtask bench kernel` has put the object with them.
pub(super) fn object() -> Result<PathBuf> {
    Ok(report::target()?.join("bpf/bench-programs.o"))
}

/// Nanoseconds for each of `runs` times the packet goes through `program`.
pub(super) fn time(
    program: &SchedClassifier,
    ifindex: u32,
    packet: &[u8],
    runs: u32,
) -> Result<f64> {
    let mut context = [0; CONTEXT_BYTES];
    context[CONTEXT_IFINDEX..][..4].copy_from_slice(&ifindex.to_ne_bytes());
    let options = TestRunOptions {
        data_in: Some(packet),
        ctx_in: Some(&context),
        repeat: runs,
        ..TestRunOptions::new()
    };
    Ok(program.test_run(options)?.duration.as_nanos() as f64)
}

pub(super) fn padded(packet: &[u8]) -> Vec<u8> {
    let mut packet = packet.to_vec();
    packet.resize(packet.len().max(HEADER_BYTES), 0);
    packet
}

fn classifier<'a>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut SchedClassifier> {
    let program = ebpf.program_mut(name);
    let program = program.with_context(|| format!("the benchmark's object has no {name}"))?;
    Ok(program.try_into()?)
}
