//! Runs packets through the programs, and lets the detectors judge what comes of them, by packet time.

use std::{
    io,
    net::IpAddr,
    sync::Arc,
    time::{Duration, SystemTime},
};

use agent_common::Direction;
use api::{events::Raised, pods::Pods, policy::Policy, v1};
use detect::{Anomaly, Count, Detectors, Observation, ParseFailure, State, Subject, Time};

use super::{ReplayError, capture::Packet};
use crate::{
    datapath::{Attach, Config, Datapath, Injector, Pin, SAMPLES_PER_DRAIN},
    sentry::judge,
};

/// Of all hashes: a capture tells the same each time.
const SEED: u64 = 1;
/// Probes of the last packets are judged by then.
const BUSY: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
/// Loopback: every network namespace has it, at this index, and a slot does not attach anything to it.
const LOOPBACK: u32 = 1;

/// What is known of the capture as a whole.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    /// Stands for the node.
    pub(super) name: &'a str,
    /// Stands for the interface.
    pub(super) pod: &'a str,
    /// Addresses of the pod, to name it by.
    pub(super) addresses: Vec<IpAddr>,
    /// All that it has, if that is known: others are forged.
    pub(super) own: Vec<IpAddr>,
    /// Who has which address.
    pub(super) pods: &'a Pods,
    /// When it begins.
    pub(super) start: Time,
}

/// The datapath and the detectors, at some point of the capture.
pub(super) struct Player<'a, F> {
    scene: Scene<'a>,
    datapath: Datapath,
    injector: Injector,
    detectors: Detectors,
    subject: Subject,
    tick: Duration,
    /// After this long without a packet nothing changes any more.
    settled: Duration,
    now: Time,
    next_tick: Time,
    found: Vec<Anomaly>,
    raise: F,
    sequence: u64,
    pub(super) tally: Tally,
}

/// What came of the packets.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tally {
    pub(super) from_pod: u64,
    pub(super) to_pod: u64,
    /// Packets that the kernel did not take.
    pub(super) skipped: u64,
    /// Packets that the programs could not parse, by [`ParseFailure`].
    pub(super) unparsed: [u64; ParseFailure::ALL.len()],
    pub(super) records_dropped: u64,
    pub(super) anomalies: u64,
}

impl<'a, F: FnMut(v1::Event) -> io::Result<()>> Player<'a, F> {
    /// Must be called within a tokio runtime.
    pub(super) fn new(
        scene: Scene<'a>,
        policy: &Policy,
        tick: Duration,
        raise: F,
    ) -> Result<Self, ReplayError> {
        let mut datapath = Datapath::load(&Config {
            slots: 1,
            samples_per_drain: SAMPLES_PER_DRAIN,
            sample_rate: 1,
            attach: Attach::Auto,
            pin: Pin::Nowhere,
            kernel_log: None,
            seed: Some(SEED),
        })?;
        let subject = datapath.watch_unattached(LOOPBACK)?;
        let mut known = scene.addresses.iter();
        let known = known.find_map(|address| scene.pods.by_address(*address));
        let detectors = Detectors::new(Arc::clone(policy.settings(known)));
        let now = scene.start;
        datapath.set_addresses(subject, &scene.own);
        datapath.set_budget(subject, detectors.budget(subject, now));
        Ok(Self {
            injector: datapath.injector()?,
            datapath,
            settled: detectors.settled(),
            detectors,
            subject,
            tick,
            now,
            next_tick: now,
            found: Vec::new(),
            raise,
            sequence: 0,
            tally: Tally::default(),
            scene,
        })
    }

    /// Lets a packet pass. One that is earlier than the last is as late as that.
    pub(super) fn pass(
        &mut self,
        packet: &Packet<'_>,
        direction: Direction,
    ) -> Result<(), ReplayError> {
        self.advance(packet.at)?;
        match self.injector.run(direction, LOOPBACK, packet.frame, 1) {
            Ok(()) => {}
            Err(error) if error.is_invalid() => self.tally.skipped += 1,
            Err(error) => return Err(error.into()),
        }
        match direction {
            Direction::FromPod => self.tally.from_pod += 1,
            Direction::ToPod => self.tally.to_pod += 1,
        }
        if self.datapath.receive_at(self.now) {
            let observations = self.datapath.drain_tripped(self.now);
            self.observe(&observations)?;
        }
        Ok(())
    }

    /// Lets time run on until every probe is judged and every anomaly is closed.
    pub(super) fn finish(&mut self) -> Result<(), ReplayError> {
        self.advance(self.now + self.settled)?;
        self.detectors.remove(self.subject, &mut self.found);
        self.raise()
    }

    /// Drains at every tick until then, as the agent does; but not those that can change nothing, and only
    /// at every second of a long silence.
    fn advance(&mut self, then: Time) -> Result<(), ReplayError> {
        let (busy, settled) = (self.now + BUSY, self.now + self.settled);
        while self.next_tick <= then {
            if self.next_tick > settled {
                self.next_tick = then;
            }
            self.now = self.next_tick;
            let observations = self.datapath.drain(self.now);
            self.observe(&observations)?;
            let tick = if self.now < busy {
                self.tick
            } else {
                self.tick.max(SECOND)
            };
            self.next_tick = (self.now + tick).min(then.max(self.now + self.tick));
        }
        self.now = self.now.max(then);
        Ok(())
    }

    fn observe(&mut self, observations: &[Observation]) -> Result<(), ReplayError> {
        for observation in observations {
            for (sum, more) in self.tally.unparsed.iter_mut().zip(observation.unparsed) {
                *sum += more;
            }
            self.tally.records_dropped += observation.count(Count::RecordsDropped);
            judge(
                &mut self.detectors,
                &mut self.datapath,
                observation,
                self.now,
                &mut self.found,
            );
        }
        self.raise()
    }

    fn raise(&mut self) -> Result<(), ReplayError> {
        for mut anomaly in self.found.drain(..) {
            let known = &self.scene.addresses;
            anomaly.pod = anomaly
                .pod
                .filter(|reached| known.contains(reached))
                .or_else(|| known.first().copied())
                .or(anomaly.pod);
            self.tally.anomalies += u64::from(anomaly.state == State::Opened);
            self.sequence += 1;
            let raised = Raised {
                node: self.scene.name,
                epoch: self.scene.start.nanoseconds(),
                sequence: self.sequence,
                raised_at: SystemTime::UNIX_EPOCH + Duration::from_nanos(self.now.nanoseconds()),
                boot: SystemTime::UNIX_EPOCH,
                interface: self.scene.pod,
            };
            let mut event = raised.event(&anomaly);
            self.scene.pods.complete(&mut event);
            (self.raise)(event).map_err(ReplayError::Output)?;
        }
        Ok(())
    }
}
