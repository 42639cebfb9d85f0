//! Nanoseconds a packet in the programs, over the empty program, by BPF_PROG_TEST_RUN.
//!
//! Two ways, each with the empty program and ours in turns. `many` deals a different packet to each
//! repetition: both programs are reached through the carousel, whose own cost falls out of the
//! difference. The slot is put back before each round, so that what was new is new again. `one` repeats
//! a single packet at a time, as other benchmarks do: its empty program is the one to quote ratios by.

use std::{borrow::Cow, fmt, fs};

use agent_common::{Class, Counter, Direction, SOURCES_V4, SOURCES_V6, Slot, bench::PACKETS};
use anyhow::{Result, ensure};
use aya::programs::{ProgramFd, SchedClassifier, TcAttachType};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::Value;
use tests::{Kernel, program_at};

use super::{
    carousel::{Carousel, padded, time},
    cases::{self, Before, Case, Counted},
    chart::{self, Bar},
    measured::{HEADER, Measured, Timing},
    slot::{Counts, SlotMap, Words},
};
use crate::report;

const ROUNDS: usize = 41;
/// Turns of the carousel in a round, for packets that may pass again.
const TURNS: u32 = 8;
/// Repetitions of one packet.
const REPEATS: u32 = 1000;
const RATES: [u32; 2] = [16, 1];
/// Beside the one that the rest of the machine is likelier to use.
const CPU: usize = 1;

/// Measures the cases with `part` in their name at both sample rates, and prints them.
pub(super) fn measure(part: &str) -> Result<Value> {
    let results = Kernel::with(async |mut kernel: Kernel| {
        let mut set = CpuSet::new();
        set.set(CPU);
        sched_setaffinity(None, &set)?;
        let mut bench = Bench::new(&kernel)?;
        let mut results = Vec::new();
        for rate in RATES {
            kernel.datapath.set_sample_rate(rate);
            print(&format_args!(
                "\nns per packet, sample rate {rate}:\n{HEADER}"
            ));
            for mut case in cases::all()? {
                if !case.name.contains(part) {
                    continue;
                }
                let result = bench.case(&mut kernel, &mut case, rate)?;
                print(&result);
                results.push(result);
            }
        }
        Ok(results)
    })?;
    let bars: Vec<_> = results
        .iter()
        .filter(|it| it.rate == RATES[0])
        .map(|it| Bar {
            name: it.name.to_owned(),
            value: it.many.added.median,
            target: it.target_ns,
        })
        .collect();
    let chart = chart::svg(
        "ns per packet over the empty program, and the targets",
        &bars,
    )?;
    let path = report::path("kernel.svg")?;
    fs::write(&path, chart)?;
    print(&format_args!("drawn in {}", path.display()));
    Ok(results.iter().map(Measured::json).collect())
}

#[expect(clippy::print_stdout, reason = "it talks to a person")]
fn print(line: &dyn fmt::Display) {
    println!("{line}");
}

struct Bench {
    carousel: Carousel,
    slot: SlotMap,
    fresh: Words,
    programs: [(SchedClassifier, ProgramFd); 2],
    ifindex: u32,
}

impl Bench {
    fn new(kernel: &Kernel) -> Result<Self> {
        let ifindex = kernel.subject.ifindex;
        let from_pod = program_at(ifindex, TcAttachType::Ingress)?;
        let to_pod = program_at(ifindex, TcAttachType::Egress)?;
        let slot = SlotMap::of(&from_pod, ifindex)?;
        let mut fresh = slot.read()?;
        fresh[std::mem::offset_of!(Slot, source_families) / 8] = SOURCES_V4 | SOURCES_V6;
        let place = std::mem::offset_of!(Slot, addresses) / 8;
        for (word, bytes) in fresh[place..]
            .iter_mut()
            .zip(cases::addresses().concat().as_chunks().0)
        {
            *word = u64::from_ne_bytes(*bytes);
        }
        let open = |info: aya::programs::ProgramInfo| {
            let fd = info.fd()?;
            Ok::<_, anyhow::Error>((
                SchedClassifier::from_program_info(info, Cow::Borrowed("measured"))?,
                fd,
            ))
        };
        Ok(Self {
            carousel: Carousel::load(ifindex)?,
            slot,
            fresh,
            programs: [open(from_pod)?, open(to_pod)?],
            ifindex,
        })
    }

    fn case(&mut self, kernel: &mut Kernel, case: &mut Case, rate: u32) -> Result<Measured> {
        let ready = self.prepare(kernel, case)?;
        let packets: Vec<_> = case.packets.iter().map(|[it, _]| it.clone()).collect();
        self.carousel.fill(&packets)?;
        let runs = if case.repeats { TURNS } else { 1 } * PACKETS;
        let mut many = Vec::new();
        for _ in 0..ROUNDS {
            self.slot.write(&ready)?;
            let empty = self.carousel.run(None, runs)?;
            let ours = &self.programs[case.direction as usize].1;
            let ours = self.carousel.run(Some(ours), runs)?;
            let counts = Counts::of(&self.slot.read()?).since(&Counts::of(&ready));
            case.counted.check(case.name, &counts, u64::from(runs))?;
            kernel.drain()?;
            many.push([empty, ours]);
        }
        let mut one = Vec::new();
        if case.repeats {
            self.slot.write(&ready)?;
            for packet in &packets {
                let empty = self.carousel.run_empty(packet, REPEATS)?;
                one.push([empty, self.run(case.direction, packet, REPEATS)?]);
            }
        }
        Ok(Measured {
            name: case.name,
            rate,
            target_ns: case.target_ns,
            many: Timing::of(&many),
            one: (!one.is_empty()).then(|| Timing::of(&one)),
        })
    }

    /// The slot as it is when the packets of the case are known, as far as they are to be.
    fn prepare(&mut self, kernel: &mut Kernel, case: &mut Case) -> Result<Words> {
        self.slot.write(&self.fresh)?;
        for before in case.before {
            for [same, reverse] in &case.packets {
                match (before, case.direction) {
                    (Before::Same, direction) => self.run(direction, same, 1)?,
                    (Before::Reverse, Direction::FromPod) => {
                        self.run(Direction::ToPod, reverse, 1)?
                    }
                    (Before::Reverse, Direction::ToPod) => {
                        self.run(Direction::FromPod, reverse, 1)?
                    }
                };
            }
        }
        if !matches!(case.counted, Counted::New(_)) {
            self.drop_reported(case)?;
        }
        kernel.drain()?;
        self.slot.read()
    }

    /// Drops packets whose entries of the contact cache are taken by others: they would be reported over
    /// and over, at the cost of new ones.
    fn drop_reported(&self, case: &mut Case) -> Result<()> {
        loop {
            let before = case.packets.len();
            let mut quiet = Vec::new();
            for packet in std::mem::take(&mut case.packets) {
                let records = Counts::of(&self.slot.read()?).records;
                self.run(case.direction, &packet[0], 1)?;
                if Counts::of(&self.slot.read()?).records == records {
                    quiet.push(packet);
                }
            }
            case.packets = quiet;
            if case.packets.len() == before {
                return Ok(());
            }
        }
    }

    fn run(&self, direction: Direction, packet: &[u8], repeats: u32) -> Result<f64> {
        let (program, _) = &self.programs[direction as usize];
        time(program, self.ifindex, &padded(packet), repeats)
    }
}

impl Counted {
    /// Whether the slot counted `packets` packets of the case as what they are.
    fn check(self, name: &str, counts: &Counts, packets: u64) -> Result<()> {
        let mut expected = Counts {
            initiated: [0; Class::COUNT],
            counters: [0; Counter::COUNT],
            failures: 0,
            records: 0,
        };
        let mut initiates = |class| expected.initiated[class as usize] = packets;
        match self {
            Self::Nothing => {}
            Self::One(counter) => expected.counters[counter as usize] = packets,
            Self::Known(class) => initiates(class),
            Self::New(class) => {
                initiates(class);
                expected.counters[Counter::NewPorts as usize] = packets;
                expected.records = packets;
            }
            Self::Foreign(class) => {
                initiates(class);
                expected.counters[Counter::Spoofed as usize] = packets;
            }
        }
        ensure!(
            *counts == expected,
            "{name} counted {counts:?} instead of {expected:?}"
        );
        Ok(())
    }
}
