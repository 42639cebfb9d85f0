//! Kernel and oracle agree on every count, set, sketch, record, sample and verdict of generated packets.
//!
//! `PICKET_PACKETS` sets how many packets, `PICKET_SEED` which ones.

use std::{env, str::FromStr, sync::atomic::Ordering::Relaxed};

use agent::datapath::{Direction, Passage};
use anyhow::{Context, Result, anyhow, bail, ensure};
use tests::{
    Kernel,
    generate::{Generated, Generator},
    oracle::{Gso, Model, Verdict, parse},
    without_root,
};

const PACKETS: u64 = 1_000_000;
const SEED: u64 = 1;
/// Packets between two comparisons.
const BATCH: usize = 500;
/// `TC_ACT_UNSPEC` and `TC_ACT_SHOT` (linux/pkt_cls.h).
const UNSPEC: i32 = -1;
const SHOT: i32 = 2;

#[test]
fn kernel_and_oracle_agree_on_every_packet() -> Result<()> {
    if without_root() {
        return Ok(());
    }
    let packets = variable("PICKET_PACKETS", PACKETS)?;
    let seed = variable("PICKET_SEED", SEED)?;
    println!("{packets} packets of seed {seed}");
    Kernel::with(async |mut kernel: Kernel| {
        let mut bench = Bench::new(&mut kernel, seed)?;
        for batch in 0..packets.div_ceil(BATCH as u64) {
            let run = bench.batch();
            run.with_context(|| format!("seed {seed}, batch {batch} of {BATCH} packets"))?;
        }
        Ok(())
    })
}

fn variable<T: FromStr>(name: &str, default: T) -> Result<T> {
    let Some(value) = env::var_os(name) else {
        return Ok(default);
    };
    let parsed = value.to_str().and_then(|it| it.parse().ok());
    parsed.with_context(|| format!("{name} is {value:?}: a number is needed"))
}

/// The kernel's slot and the model of it, side by side.
struct Bench<'a> {
    kernel: &'a mut Kernel,
    generator: Generator,
    model: Box<Model>,
}

impl<'a> Bench<'a> {
    fn new(kernel: &'a mut Kernel, seed: u64) -> Result<Self> {
        let records_per_drain = kernel.datapath.settings().records_per_drain.load(Relaxed);
        ensure!(records_per_drain > 0, "no records are written at all");
        Ok(Self {
            model: Model::new(kernel.datapath.seed(), records_per_drain),
            generator: Generator::new(seed),
            kernel,
        })
    }

    /// Runs a batch, and compares; on a difference names the packet that made it.
    fn batch(&mut self) -> Result<()> {
        self.change_between_packets()?;
        let before = self.model.clone();
        let packets: Vec<_> = self.generator.by_ref().take(BATCH).collect();
        let mut verdicts = true;
        for packet in &packets {
            verdicts &= self.verdicts_agree(packet)?;
        }
        if self.difference()?.is_none() && verdicts {
            return Ok(());
        }
        self.model = before;
        self.store()?;
        for (index, packet) in packets.iter().enumerate() {
            let agree = self.verdicts_agree(packet)?;
            let difference = self.difference()?.unwrap_or_default();
            if !agree || !difference.is_empty() {
                bail!(
                    "packet {index}, {:?}, segments {} of {} bytes, hairpin {}, verdicts {}: {:?}\n{}\n{difference}",
                    packet.direction,
                    packet.segments,
                    packet.segment_bytes,
                    packet.hairpin,
                    if agree { "alike" } else { "differ" },
                    parse(&packet.frame),
                    hex(&packet.frame),
                );
            }
        }
        bail!("they differ after the batch, but not when it is run again packet by packet")
    }

    fn verdicts_agree(&mut self, packet: &Generated) -> Result<bool> {
        let ifindex = self.kernel.subject.ifindex;
        let passage = Passage {
            ifindex,
            ingress_ifindex: if packet.hairpin { ifindex } else { 0 },
            segments: packet.segments,
            segment_bytes: packet.segment_bytes,
        };
        let injector = &self.kernel.injector;
        let kernel = injector.pass(packet.direction, &packet.frame, passage)?;
        let parsed = parse(&packet.frame);
        let Generated {
            direction,
            ref frame,
            segments,
            segment_bytes,
            hairpin,
        } = *packet;
        let gso = Gso {
            segments,
            segment_bytes,
        };
        let oracle = match direction {
            Direction::FromPod => self.model.packet_from_pod(&parsed, gso, frame),
            Direction::ToPod => self.model.packet_to_pod(&parsed, gso, frame, hairpin),
        };
        Ok(kernel
            == match oracle {
                Verdict::Pass => UNSPEC,
                Verdict::Drop => SHOT,
            })
    }

    fn difference(&mut self) -> Result<Option<String>> {
        let records = self.kernel.datapath.take_records();
        let of_records = self.model.difference_in_records(&records);
        let samples = self.kernel.datapath.take_samples();
        let of_samples = self.model.difference_in_samples(&samples);
        let slot = self.kernel.datapath.slot(self.kernel.subject);
        let of_slot = self.model.difference(slot.context("nothing is watched")?);
        let said: Vec<_> = [of_slot, of_records, of_samples]
            .into_iter()
            .flatten()
            .collect();
        Ok((!said.is_empty()).then(|| said.concat()))
    }

    /// What user space changes while packets flow, chosen by the same seed.
    fn change_between_packets(&mut self) -> Result<()> {
        let model = &mut self.model;
        let rng = self.generator.rng();
        match rng.u8(..24) {
            0..6 => model.drain(),
            6 | 7 => model.turn(),
            8 => model.source_families = rng.u64(..4),
            9 => model.addresses = std::array::from_fn(|number| own_address(rng.u8(..4), number)),
            10 | 11 => {
                model.lease_ns = [0, 1, u64::MAX, u64::MAX][rng.usize(..4)];
            }
            12 => model.records_per_drain = [0, 10, 300, 100_000][rng.usize(..4)],
            13 => model.contacts.fill(0),
            14 => model.protocols_window.fill(0),
            15 | 16 => {
                model.budget = rng.i64(-2..40);
                model.refusal_budget = rng.i64(-2..40);
            }
            17 | 18 => {
                model.tcp.window.fill(0);
                model.udp.window.fill(0);
            }
            19 => model.samples_per_drain = [0, 1, 20, 200][rng.usize(..4)],
            20 => model.counts_volume = rng.u8(..4) > 0,
            _ => {}
        }
        // What was a lease of the past stays so: the clock is later than its first nanosecond.
        model.now_ns = 2;
        self.store()
    }

    fn store(&mut self) -> Result<()> {
        let rate = u32::from(self.model.counts_volume);
        self.kernel.datapath.set_sample_rate(rate);
        let settings = self.kernel.datapath.settings();
        settings
            .records_per_drain
            .store(self.model.records_per_drain, Relaxed);
        settings
            .samples_per_drain
            .store(self.model.samples_per_drain, Relaxed);
        let slot = self.kernel.datapath.slot(self.kernel.subject);
        self.model
            .store(slot.ok_or_else(|| anyhow!("nothing is watched"))?);
        Ok(())
    }
}

/// Some of the pod's addresses, so that others of its packets are spoofed; or none.
fn own_address(kind: u8, number: usize) -> [u32; 4] {
    let last = (number as u32 % 2 + 1).to_be();
    match kind {
        0 => [0; 4],
        1 => [0xfd00_0000_u32.to_be(), 0, 0, last],
        _ => [0, 0, 0xffff_u32.to_be(), 0x0a00_0000_u32.to_be() | last],
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
