//! Watched veths, each with a model that is told what a capture at the same veth holds.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use agent::datapath::{Datapath, Direction};
use agent_common::Record;
use anyhow::{Context, Result, bail};
use detect::{Subject, Time};
use rustix::net::{AddressFamily, SocketType, netdevice, socket};

use crate::{
    capture::Capture,
    deadline::{Deadline, wait_for},
    device::Passed,
    kernel::unpinned,
    oracle::Model,
    pod::Pod,
    process::run,
};

const LIMIT: Duration = Duration::from_secs(10);

/// The programs at the veths of some pods, and what they should count there.
#[derive(Debug)]
pub struct Shadows {
    datapath: Datapath,
    veths: Vec<Shadow>,
}

/// One of the veths.
#[derive(Debug)]
pub struct Shadow {
    interface: String,
    ifindex: u32,
    pod_mac: [u8; 6],
    subject: Option<Subject>,
    capture: Capture,
    /// Frames of the capture that passed before the slot was assigned.
    before: usize,
    records: Vec<Record>,
}

impl Shadows {
    /// Loads the programs and starts the captures. Must be called in the node's namespace and
    /// within a tokio runtime.
    ///
    /// # Errors
    /// When programs or captures do not start.
    pub fn new(network: &crate::Namespace, pods: &[&Pod]) -> Result<Self> {
        let datapath = unpinned(4)?;
        let veths = pods.iter().map(|pod| {
            Ok(Shadow {
                interface: pod.interface.clone(),
                ifindex: netdevice::name_to_index(
                    socket(AddressFamily::INET, SocketType::DGRAM, None)?,
                    &pod.interface,
                )?,
                pod_mac: mac(pod)?,
                subject: None,
                capture: Capture::whole(network, &pod.interface)?,
                before: 0,
                records: Vec::new(),
            })
        });
        Ok(Self {
            veths: veths.collect::<Result<_>>()?,
            datapath,
        })
    }

    /// Gives every veth an empty slot, and remembers where in its capture that was.
    ///
    /// # Errors
    /// When there is always some packet meanwhile.
    pub fn begin(&mut self) -> Result<()> {
        wait_for("a moment without packets", LIMIT, || {
            let packets = self.passed()?;
            for veth in &mut self.veths {
                veth.before = veth.capture.frames()?.len();
                // It reads the ring buffer too, so no slot may be in use yet whose records count.
                self.datapath.unwatch(veth.ifindex, Time::default());
                veth.records.clear();
            }
            for veth in &mut self.veths {
                veth.subject = Some(self.datapath.watch(veth.ifindex)?);
            }
            Ok((self.passed()? == packets).then_some(()))
        })
    }

    fn passed(&self) -> Result<Vec<Passed>> {
        let veths = self.veths.iter();
        veths.map(|veth| Passed::of(&veth.interface)).collect()
    }

    /// Takes what the ring buffer holds, before it is full.
    pub fn take_records(&mut self) {
        for record in self.datapath.take_records() {
            let mut veths = self.veths.iter_mut();
            let of = |veth: &&mut Shadow| veth.subject.is_some_and(|it| it.epoch == record.epoch);
            if let Some(veth) = veths.find(of) {
                veth.records.push(record);
            }
        }
    }

    /// The models, once each has counted what its slot has.
    ///
    /// # Errors
    /// When one never does: how they differ.
    pub fn agreed(&mut self) -> Result<Vec<Box<Model>>> {
        let deadline = Deadline::after(LIMIT / 2);
        loop {
            self.take_records();
            let models = self.models()?;
            let differences = models
                .iter()
                .filter_map(|(_, difference)| difference.clone());
            let differences: Vec<_> = differences.collect();
            if differences.is_empty() {
                return Ok(models.into_iter().map(|(model, _)| model).collect());
            }
            if deadline.left().is_zero() {
                bail!("kernel and oracle differ\n{}", differences.join("\n"));
            }
        }
    }

    fn models(&mut self) -> Result<Vec<(Box<Model>, Option<String>)>> {
        let cap = self.datapath.settings().records_per_drain.load(Relaxed);
        let datapath = &self.datapath;
        let compared = self.veths.iter_mut().map(|veth| {
            let mut model = Model::new(datapath.seed(), cap);
            for frame in &veth.capture.frames()?[veth.before..] {
                match veth.direction(frame) {
                    Direction::FromPod => model.from_pod(frame),
                    Direction::ToPod => model.to_pod(frame),
                };
            }
            let slot = veth.subject.and_then(|subject| datapath.slot(subject));
            let of_slot = model.difference(slot.context("`begin` was not called")?);
            let of_records = model.difference_in_records(&veth.records);
            let said = of_slot.unwrap_or_default() + &of_records.unwrap_or_default();
            let said = (!said.is_empty()).then(|| format!("{}:\n{said}", veth.interface));
            Ok((model, said))
        });
        compared.collect()
    }
}

impl Shadow {
    fn direction(&self, frame: &[u8]) -> Direction {
        if frame.get(6..12) == Some(&self.pod_mac) {
            Direction::FromPod
        } else {
            Direction::ToPod
        }
    }
}

/// The address of the pod's side of its veth.
fn mac(pod: &Pod) -> Result<[u8; 6]> {
    let mut command = pod.command("ip");
    command.args(["-oneline", "link", "show", "dev", "eth0"]);
    let shown = run("ip", &mut command, LIMIT)?.success()?.stdout;
    let (_, behind) = shown
        .split_once("link/ether ")
        .context("eth0 has no link/ether")?;
    let mut mac = [0; 6];
    for (byte, digits) in mac.iter_mut().zip(behind[..17].split(':')) {
        *byte = u8::from_str_radix(digits, 16)?;
    }
    Ok(mac)
}
