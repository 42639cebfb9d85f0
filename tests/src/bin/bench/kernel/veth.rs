//! What a veth pair carries with no program at it, with the empty one, and with ours, in turns.

mod acks;
mod stream;

use agent::datapath::{Attach, Config, Datapath, Pin, monotonic};
use agent_common::bench::EMPTY_PROGRAM;
use anyhow::{Context, Result, ensure};
use aya::{
    Ebpf, EbpfLoader,
    programs::{
        LinkOrder, SchedClassifier, TcAttachType,
        tc::{SchedClassifierLink, TcAttachOptions},
    },
};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::{Value, json};

use super::carousel;

/// The host side of the pod's veth.
const HOST: &str = "pod0";
const HOST_IFINDEX: u32 = 5000;

/// Measures and prints both.
pub(super) fn measure() -> Result<Value> {
    Ok(json!({"acks": acks::measure()?, "stream": stream::measure()?}))
}

/// What is at the veth.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum At {
    Nothing,
    Empty,
    Ours,
}

impl At {
    const ALL: [Self; 3] = [Self::Nothing, Self::Empty, Self::Ours];
}

/// Puts programs at the host side, and takes them away; within a tokio runtime and the namespace.
struct Switch {
    datapath: Datapath,
    empty: Ebpf,
    links: Vec<SchedClassifierLink>,
}

impl Switch {
    fn new() -> Result<Self> {
        let mut empty = EbpfLoader::new().load_file(carousel::object()?)?;
        classifier(&mut empty)?.load()?;
        Ok(Self {
            datapath: Datapath::load(&Config {
                slots: 110,
                sample_rate: 16,
                samples_per_drain: 0,
                attach: Attach::Tcx,
                pin: Pin::Nowhere,
                kernel_log: None,
                seed: None,
            })?,
            empty,
            links: Vec::new(),
        })
    }

    fn on(&mut self, at: At) -> Result<()> {
        match at {
            At::Nothing => {}
            At::Empty => {
                let empty = classifier(&mut self.empty)?;
                for direction in [TcAttachType::Ingress, TcAttachType::Egress] {
                    let first = TcAttachOptions::TcxOrder(LinkOrder::first());
                    let id = empty.attach_with_options(HOST, direction, first)?;
                    self.links.push(empty.take_link(id)?);
                }
            }
            At::Ours => {
                self.datapath.watch(HOST_IFINDEX)?;
            }
        }
        Ok(())
    }

    /// Takes away what is there, which must have seen packets if it is ours.
    fn off(&mut self, at: At) -> Result<()> {
        self.links.clear();
        if at == At::Ours {
            let last = self.datapath.unwatch(HOST_IFINDEX, monotonic());
            let last = last.context("it was not watched")?;
            let seen = last.sent.iter().chain(&last.received);
            ensure!(
                seen.map(|it| it.packets).sum::<u64>() > 0,
                "the programs saw no packets"
            );
        }
        Ok(())
    }
}

fn classifier(ebpf: &mut Ebpf) -> Result<&mut SchedClassifier> {
    let empty = ebpf.program_mut(EMPTY_PROGRAM);
    Ok(empty.context("no empty program")?.try_into()?)
}

fn pin(cpu: usize) -> Result<()> {
    let mut set = CpuSet::new();
    set.set(cpu);
    Ok(sched_setaffinity(None, &set)?)
}
