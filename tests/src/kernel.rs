//! The datapath alone, on an interface of its own namespace: packets are run, not sent.

use std::{error::Error, io, time::Duration};

use agent::datapath::{Attach, Config, Datapath, Direction, Injector, Passage, Pin, monotonic};
use anyhow::{Context, Result};
use detect::{Observation, Subject};

use crate::{Namespace, deadline::wait_for};

/// The interface that stands for the host side of a pod's veth.
const INTERFACE: &str = "pod0";
const IFINDEX: u32 = 4711;
/// What a program returns (linux/pkt_cls.h).
const TC_ACT_UNSPEC: i32 = -1;
const TC_ACT_SHOT: i32 = 2;
const SLOTS: u32 = 4;
const LIMIT: Duration = Duration::from_secs(10);

/// A watched interface, and a way to run packets through its programs.
#[derive(Debug)]
pub struct Kernel {
    /// The loaded programs.
    pub datapath: Datapath,
    /// Whose traffic it is.
    pub subject: Subject,
    /// Runs packets.
    pub injector: Injector,
}

/// Loads the programs so that nothing outlives the test and all volume is counted. Must be called within a
/// tokio runtime.
///
/// # Errors
/// When the kernel refuses them.
pub fn unpinned(slots: u32) -> Result<Datapath> {
    Ok(Datapath::load(&Config {
        slots,
        sample_rate: 1,
        samples_per_drain: 0,
        attach: Attach::Auto,
        pin: Pin::Nowhere,
        kernel_log: None,
        seed: None,
    })?)
}

/// Watches an interface anew, with nothing known of it. A process that another test has just forked keeps the links
/// until it runs its own program.
///
/// # Errors
/// When the programs cannot be attached again.
pub fn watch_anew(datapath: &mut Datapath, ifindex: u32) -> Result<Subject> {
    datapath.unwatch(ifindex, monotonic());
    wait_for("the programs to be detached", LIMIT, || {
        match datapath.watch(ifindex) {
            Err(error) if is_there_already(&error) => Ok(None),
            watched => Ok(Some(watched?)),
        }
    })
}

impl Kernel {
    /// Runs `inside` in a namespace with one watched interface, within a tokio runtime.
    ///
    /// # Errors
    /// When the programs cannot be loaded or attached, or `inside` fails.
    pub fn with<T: Send>(inside: impl AsyncFnOnce(Self) -> Result<T> + Send) -> Result<T> {
        Self::with_slots(SLOTS, inside)
    }

    /// The same with maps for `slots` interfaces.
    ///
    /// # Errors
    /// As for [`Self::with`].
    pub fn with_slots<T: Send>(
        slots: u32,
        inside: impl AsyncFnOnce(Self) -> Result<T> + Send,
    ) -> Result<T> {
        let namespace = Namespace::new()?;
        namespace.ip(&format!(
            "link add {INTERFACE} index {IFINDEX} type veth peer name eth0"
        ))?;
        namespace.enter(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()?;
            runtime.block_on(async { inside(Self::load(slots)?).await })
        })?
    }

    fn load(slots: u32) -> Result<Self> {
        let mut datapath = unpinned(slots)?;
        let subject = datapath.watch(IFINDEX)?;
        let injector = datapath.injector()?;
        Ok(Self {
            datapath,
            subject,
            injector,
        })
    }

    /// Gives the interface a fresh slot.
    ///
    /// # Errors
    /// When the programs cannot be attached again.
    pub fn renew(&mut self) -> Result<()> {
        self.subject = watch_anew(&mut self.datapath, IFINDEX)?;
        Ok(())
    }

    /// Runs a packet of the pod.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn from_pod(&self, packet: &[u8]) -> Result<()> {
        Ok(self
            .injector
            .run(Direction::FromPod, self.subject.ifindex, packet, 1)?)
    }

    /// Runs a packet of the pod; whether it passes on, to other programs and the stack.
    ///
    /// # Errors
    /// When the kernel refuses it, or the program decides something else.
    pub fn passes(&self, packet: &[u8]) -> Result<bool> {
        let passage = Passage {
            ifindex: self.subject.ifindex,
            ..Passage::default()
        };
        match self.injector.pass(Direction::FromPod, packet, passage)? {
            TC_ACT_UNSPEC => Ok(true),
            TC_ACT_SHOT => Ok(false),
            verdict => anyhow::bail!("the program returned {verdict}"),
        }
    }

    /// Runs a packet to the pod.
    ///
    /// # Errors
    /// When the kernel refuses it.
    pub fn to_pod(&self, packet: &[u8]) -> Result<()> {
        Ok(self
            .injector
            .run(Direction::ToPod, self.subject.ifindex, packet, 1)?)
    }

    /// Drains the slot.
    ///
    /// # Errors
    /// When it is not watched.
    pub fn drain(&mut self) -> Result<Observation> {
        self.datapath
            .drain(monotonic())
            .pop()
            .context("nothing is watched")
    }
}

fn is_there_already(error: &(dyn Error + 'static)) -> bool {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    let mut errors = causes.filter_map(|it| it.downcast_ref::<io::Error>());
    errors.any(|it| it.kind() == io::ErrorKind::AlreadyExists)
}
