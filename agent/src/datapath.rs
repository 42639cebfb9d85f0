//! The kernel side: loads and attaches the programs, drains the slots. The only room that names aya.

mod attach;
mod attachment;
mod budgets;
mod cache;
mod chain;
mod control;
mod device;
mod drain;
mod filters;
mod former;
mod heard;
mod hooks;
mod inject;
mod kernel;
mod kinds;
mod known;
mod layout;
mod leftovers;
mod lifecycle;
mod link;
mod mapped;
mod object;
mod other;
mod pins;
mod pour;
mod raw;
mod reconcile;
mod records;
mod reset;
mod ring;
mod samples;
mod side;
mod skip;
mod slots;
mod sources;
mod takeover;
mod unattached;
mod wakeups;

use std::{collections::BTreeMap, fmt, io};

pub use agent_common::Direction;
use agent_common::{SAMPLES_MAP, Settings, WAKEUPS_MAP};
use aya::maps::{MapData, RingBuf};
use detect::{Observation, Subject, Time};
use tracing::warn;

use self::{
    attach::{At, AttachError, Attacher},
    attachment::Ways,
    drain::Tally,
    former::Former,
    heard::Turns,
    link::Links,
    mapped::Mapped,
    object::Programs,
    other::Other,
    pins::Pins,
    records::Inbox,
    ring::Ring,
    skip::Skip,
    slots::Slots,
    wakeups::Wakeups,
};
use crate::whose::Whose;

pub use self::{
    attachment::{Attach, Attachment},
    drain::{Crossed, Report},
    hooks::{Hook, Hooks, strangers},
    inject::{InjectError, Injector, Passage},
    kernel::{FLOOR, KernelError, TCX, monotonic, version},
    leftovers::{Removed, detach},
    object::KernelLog,
    pins::{Pin, PinsError, is_bpffs},
    reconcile::Repair,
    samples::SAMPLES_PER_DRAIN,
    slots::SlotsError,
};

/// How the datapath is set up.
#[derive(Clone, Debug)]
pub struct Config {
    /// Interfaces that can be watched at once.
    pub slots: u32,
    /// Volume is estimated from one packet in this many.
    pub sample_rate: u32,
    /// Payloads that are sampled of one interface between two drains.
    pub samples_per_drain: u32,
    /// How to attach.
    pub attach: Attach,
    /// Where to pin what outlives the agent.
    pub pin: Pin,
    /// What the programs themselves may log.
    pub kernel_log: KernelLog,
    /// What to hash with; none for a secret that nobody on the wire can know.
    pub seed: Option<u64>,
}

/// Why the datapath cannot do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum DatapathError {
    /// The kernel cannot run the programs.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// Nothing can be pinned.
    #[error(transparent)]
    Pins(#[from] PinsError),
    /// The programs do not load.
    #[error(transparent)]
    Object(#[from] object::ObjectError),
    /// A map cannot be mapped into memory.
    #[error(transparent)]
    Mapped(#[from] mapped::MappedError),
    /// Their wake-ups cannot be waited on.
    #[error(
        "cannot wait for wake-ups of the programs: {0}; raise the limit of open files (ulimit -n)"
    )]
    Wait(#[source] io::Error),
    /// No slot for an interface.
    #[error(transparent)]
    Slots(#[from] SlotsError),
    /// The programs cannot be attached to an interface.
    #[error(transparent)]
    Attach(#[from] AttachError),
}

/// Records a slot may write between two drains: two scans of nmap's thousand default ports with what comes
/// of them, and little more than half of the ring, so that no pod fills it alone.
const RECORDS_PER_DRAIN: u64 = 4096;

/// The loaded programs, and every watched interface.
///
/// Dropping it detaches the programs, unless they are pinned; packets flow on.
#[derive(Debug)]
pub struct Datapath {
    programs: Programs,
    ways: Ways,
    slots: Slots,
    settings: Mapped<Settings>,
    skip: Skip,
    ring: Ring,
    wakeups: Wakeups,
    samples: Samples,
    inbox: Inbox,
    watched: BTreeMap<u32, Watched>,
    pins: Option<Pins>,
    former: Vec<Former>,
    others: Vec<Other>,
    turns: Turns,
    sample_rate: u32,
}

#[derive(Debug)]
struct Watched {
    subject: Subject,
    slot: u32,
    whose: Whose,
    links: Links,
    tally: Tally,
}

/// The ring buffer of payload samples; nobody waits for it.
struct Samples(RingBuf<MapData>);

impl fmt::Debug for Samples {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Samples").finish_non_exhaustive()
    }
}

impl Watched {
    const fn overdrawn(&self) -> bool {
        self.tally.budgets.overdrawn()
    }
}

impl Datapath {
    /// Loads the programs. Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the kernel is too old, refuses the programs, or has no memory for the maps.
    pub fn load(config: &Config) -> Result<Self, DatapathError> {
        kernel::check()?;
        let ways = Ways::choose(config.attach)?;
        let pins = Pins::open(&config.pin, config.slots)?;
        let seed = pins.as_ref().map(takeover::former_seed).transpose()?;
        let others = pins.as_ref().map(others_of).unwrap_or_default();
        let mut seeds = others.iter().filter_map(|other| other.seed);
        let seed = seed.flatten().or_else(|| seeds.next_back());
        let mut programs = Programs::load(
            config.slots,
            &config.kernel_log,
            pins.as_ref(),
            seed.or(config.seed),
        )?;
        let settings = Mapped::<Settings>::new(&mut programs, agent_common::SETTINGS_MAP)?;
        let slots = Slots::new(&mut programs)?;
        let skip = Skip::new(&mut programs)?;
        let wakeups = programs.take_ring(WAKEUPS_MAP)?;
        let ring = Ring::new(&mut programs)?;
        let samples = Samples(programs.take_ring(SAMPLES_MAP)?);
        let mut datapath = Self {
            ways,
            slots,
            settings,
            skip,
            samples,
            ring,
            wakeups: Wakeups::new(wakeups).map_err(DatapathError::Wait)?,
            inbox: Inbox::default(),
            watched: BTreeMap::new(),
            pins,
            former: Vec::new(),
            others,
            turns: Turns::default(),
            sample_rate: 0,
            programs,
        };
        datapath.set_sample_rate(config.sample_rate);
        let samples = u64::from(config.samples_per_drain);
        datapath.settings.set_caps(RECORDS_PER_DRAIN, samples);
        datapath.settings.set_seed(datapath.programs.seed);
        datapath.take_over();
        Ok(datapath)
    }

    /// How the programs are attached to an interface that comes alone.
    #[must_use]
    pub const fn attachment(&self) -> Attachment {
        self.ways.preferred()
    }

    /// Interfaces that can be watched at once.
    #[must_use]
    pub fn capacity(&self) -> u32 {
        self.slots.capacity()
    }

    /// Volume is estimated from one packet in this many.
    #[must_use]
    pub const fn sample_rate(&self) -> u32 {
        self.sample_rate
    }

    /// Gives the interface of a pod a slot, and attaches both programs to it.
    ///
    /// # Errors
    ///
    /// When all slots are taken, or the programs cannot be attached; the interface is not watched then.
    pub fn watch(&mut self, ifindex: u32) -> Result<Subject, DatapathError> {
        self.watch_if(ifindex, Whose::Pod, None)
    }

    /// The same for an interface, whosever it is, that is called `name`, and for no other that has its index by now.
    ///
    /// # Errors
    ///
    /// As for [`Self::watch`], or when it is called otherwise.
    pub fn watch_named(
        &mut self,
        ifindex: u32,
        whose: Whose,
        name: &str,
    ) -> Result<Subject, DatapathError> {
        self.watch_if(ifindex, whose, Some(name))
    }

    fn watch_if(
        &mut self,
        ifindex: u32,
        whose: Whose,
        name: Option<&str>,
    ) -> Result<Subject, DatapathError> {
        if let Some(former) = self.take_former(ifindex, whose) {
            let subject = former.subject;
            self.watched.insert(ifindex, former);
            return Ok(subject);
        }
        self.drop_former(ifindex);
        let (slot, subject) = self.slots.assign(ifindex, whose)?;
        let mut attacher = Attacher {
            programs: &mut self.programs,
            pins: self.pins.as_ref(),
        };
        let how = self.ways.of(ifindex, monotonic());
        let at = At {
            ifindex,
            whose,
            how,
        };
        let links = match attacher.attach(at, name) {
            Ok(links) => links,
            Err(error) => {
                self.slots.release(slot, subject);
                return Err(error.into());
            }
        };
        self.inbox.open(slot, subject);
        self.watched.insert(
            ifindex,
            Watched {
                subject,
                slot,
                whose,
                links,
                tally: Tally::fresh(),
            },
        );
        Ok(subject)
    }

    /// Detaches the programs, and yields what was still undrained. None when it was not watched.
    pub fn unwatch(&mut self, ifindex: u32, now: Time) -> Option<Observation> {
        let watched = self.watched.remove(&ifindex)?;
        Some(self.close(watched, now))
    }

    fn close(&mut self, mut watched: Watched, now: Time) -> Observation {
        watched.links.detach();
        self.receive();
        let records = self.inbox.close(watched.slot);
        let slot = self.slots.slot(watched.slot);
        let last = watched
            .tally
            .drain(slot, watched.subject, records, self.sample_rate, now);
        self.slots.release(watched.slot, watched.subject);
        last
    }

    /// Waits until a budget is spent; [`Self::drain_tripped`] then tells whose. Cancel safe.
    ///
    /// # Errors
    ///
    /// When the runtime shuts down.
    pub async fn tripped(&mut self) -> io::Result<()> {
        if self.watched.values().any(Watched::overdrawn) {
            return Ok(());
        }
        self.wakeups.next().await
    }

    /// Drains the slots whose budget was spent.
    pub fn drain_tripped(&mut self, now: Time) -> Vec<Observation> {
        self.receive();
        self.drain_where(now, |inbox, watched| {
            watched.overdrawn() || inbox.tripped(watched.slot)
        })
    }

    /// Drains every slot, and every minute lets the programs forget who sent to the pods.
    pub fn drain(&mut self, now: Time) -> Vec<Observation> {
        self.receive();
        let observations = self.drain_where(now, |_, _| true);
        if self.turns.due(now) {
            self.turn(now);
        }
        observations
    }

    /// Handles to run packets through the programs with, beside this one's drains.
    ///
    /// # Errors
    ///
    /// When the kernel hands out no further descriptors of the programs.
    pub fn injector(&mut self) -> Result<Injector, DatapathError> {
        Ok(self.programs.injector()?)
    }

    /// What is known of every watched interface, by index.
    pub fn reports(&self) -> impl Iterator<Item = Report> {
        self.watched
            .values()
            .map(|watched| watched.tally.report(watched.subject))
    }

    /// Records that belonged to no watched interface any more.
    #[must_use]
    pub const fn stray_records(&self) -> u64 {
        self.inbox.stray
    }

    fn receive(&mut self) {
        self.wakeups.clear();
        self.inbox.receive(&mut self.ring);
        self.inbox.receive_samples(&mut self.samples.0);
        self.programs.flush_log();
    }

    fn turn(&mut self, now: Time) {
        for watched in self.watched.values_mut() {
            watched.tally.turn(self.slots.slot(watched.slot), now);
        }
    }

    fn drain_where(
        &mut self,
        now: Time,
        due: impl Fn(&Inbox, &Watched) -> bool,
    ) -> Vec<Observation> {
        let mut observations = Vec::new();
        for watched in self.watched.values_mut() {
            if due(&self.inbox, watched) {
                let slot = self.slots.slot(watched.slot);
                let records = self.inbox.take(watched.slot);
                let Watched { subject, tally, .. } = watched;
                observations.push(tally.drain(slot, *subject, records, self.sample_rate, now));
            }
        }
        observations
    }
}

/// What agents of other layouts have left, as far as it can be read.
fn others_of(pins: &Pins) -> Vec<Other> {
    let others = pins.others().into_iter().map(Other::open);
    let readable = others.filter_map(|other| {
        other
            .inspect_err(|error| {
                warn!(%error, "an agent before this one cannot be taken over: what it counted since it stopped is lost, and whom it contained is free");
            })
            .ok()
    });
    readable.collect()
}
