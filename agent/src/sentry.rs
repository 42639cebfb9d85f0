//! The loop of the agent: interfaces come and go, slots are drained, anomalies become events.

mod arm;
mod clock;
mod contain;
mod follow;
mod guard;
mod holds;
mod judge;
mod keeper;
mod memory;
mod metrics;
mod own;
mod raise;
mod remembering;
mod repair;
mod report;
mod roster;
mod status;
mod workload;

use std::{io, sync::Arc, time::Duration};

use api::{pods::Pods, policy::Policy, services, v1};
use detect::{Anomaly, Detectors, Observation, Subject, Time};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

use self::{
    clock::WallClock,
    guard::Guard,
    holds::Holds,
    keeper::{KEEP_EVERY, Keeper},
    remembering::Remembering,
    roster::Roster,
};
pub use self::{guard::Orders, judge::judge, metrics::Metrics};
use crate::{
    account::Account,
    baselines::Store,
    canary::Judge,
    containment::Containment,
    datapath::{Datapath, monotonic},
    deliver::{Agent, Outbox},
    edges::Edges,
    identity::{Binder, Former, Remembered, Teller, Unnamed},
    interfaces::{CANARY, Change, Changes, InterfacesError},
    policy::{Hits, Hushed},
};

/// How often it is checked that the programs are still attached.
const RECONCILE: Duration = Duration::from_secs(10);

/// Why the loop ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum SentryError {
    /// Interfaces cannot be watched any more.
    #[error(transparent)]
    Interfaces(#[from] InterfacesError),
    /// Trips cannot be waited for any more.
    #[error("cannot wait for the BPF programs any more: {0}; restart the agent")]
    Trip(#[source] io::Error),
}

/// Where the loop takes from and gives to.
#[derive(Debug)]
pub struct Ends {
    /// What happens to the node's interfaces.
    pub changes: Changes,
    /// The node's pods.
    pub pods: watch::Receiver<Pods>,
    /// Who told them.
    pub teller: watch::Receiver<Teller>,
    /// The interfaces as an agent before this one knew them.
    pub former: Vec<Former>,
    /// What the cluster declares.
    pub services: watch::Receiver<v1::ServiceTable>,
    /// Where that goes which the next agent should know.
    pub remembered: Option<watch::Sender<Remembered>>,
    /// How the detectors are set.
    pub policy: watch::Receiver<Policy>,
    /// How often its exceptions kept an event back.
    pub hits: Hits,
    /// What other rooms have to say about the node.
    pub account: Account,
    /// Judges what the agent scans itself.
    pub canary: Judge,
    /// Where events go.
    pub outbox: Outbox,
    /// Where the node's status goes.
    pub status: watch::Sender<v1::NodeStatus>,
    /// Where what is usual is kept.
    pub baselines: Option<Store>,
}

/// The loop, and all that only it changes.
#[derive(Debug)]
pub struct Sentry {
    agent: Agent,
    datapath: Datapath,
    detectors: Detectors,
    ends: Ends,
    roster: Roster,
    sequence: u64,
    clock: WallClock,
    keeper: Keeper,
    guard: Guard,
    holds: Holds,
    found: Vec<Anomaly>,
    hushed: Hushed,
    binder: Binder,
    unnamed: Unnamed,
    remembering: Remembering,
    metrics: Metrics,
    edges: Edges,
    told_edges: Vec<v1::SlotEdges>,
}

impl Sentry {
    /// A loop that has not begun.
    #[must_use]
    pub fn new(
        agent: Agent,
        datapath: Datapath,
        mut ends: Ends,
        orders: Orders,
        metrics: Metrics,
    ) -> Self {
        let settings = Arc::clone(&ends.policy.borrow().settings);
        let contain = ends.policy.borrow().containment.clone();
        let guard = Guard::new(Containment::new(contain, agent.epoch), orders);
        ends.hits.follow(&ends.policy.borrow());
        let clock = WallClock::read();
        let mut detectors = Detectors::new(settings);
        detectors.set_origin(clock.origin());
        let keeper = Keeper::start(ends.baselines.take(), &mut detectors);
        let former = std::mem::take(&mut ends.former);
        let is_current = ends.teller.borrow_and_update().is_current();
        let binder = Binder::new(&agent.node, former, is_current);
        // What was told before holds until the collector tells anew.
        detectors.declare(services::declared(&ends.services.borrow_and_update()));
        detectors.declare_by_pods(services::declared_by_pods(&ends.pods.borrow()));
        let remembering = Remembering::new(ends.remembered.take());
        Self {
            agent,
            datapath,
            detectors,
            ends,
            roster: Roster::default(),
            sequence: 0,
            clock,
            keeper,
            guard,
            holds: Holds::default(),
            found: Vec::new(),
            hushed: Hushed::default(),
            binder,
            unnamed: Unnamed::default(),
            remembering,
            metrics,
            edges: Edges::default(),
            told_edges: Vec::new(),
        }
    }

    /// Runs until `stop` is done, and then closes what is open. Calls `ready` once all interfaces that
    /// were there at the start are watched.
    ///
    /// # Errors
    ///
    /// When interfaces or trips cannot be waited for any more.
    pub async fn run(
        mut self,
        tick: Duration,
        ready: impl FnOnce(),
        stop: impl Future<Output = ()>,
    ) -> Result<(), SentryError> {
        let mut ready = Some(ready);
        let mut tick = interval(tick);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reconcile = interval(RECONCILE);
        reconcile.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut keep = interval(KEEP_EVERY);
        keep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        tokio::pin!(stop);
        self.adopt();
        let now = monotonic();
        let gone = self.datapath.drain_gone(now);
        self.bury(&gone, now);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                tripped = self.datapath.tripped() => {
                    tripped.map_err(SentryError::Trip)?;
                    self.drain_tripped();
                }
                _ = tick.tick() => {
                    self.drain();
                    self.identify(false);
                    self.remember();
                }
                Some(commanded) = self.guard.orders.commanded.recv() => self.obey(commanded),
                Ok(()) = self.ends.policy.changed() => self.apply_policy(),
                Ok(()) = self.ends.teller.changed() => {
                    let teller = *self.ends.teller.borrow_and_update();
                    self.binder.set_current(teller.is_current());
                    self.identify(true);
                }
                Ok(()) = self.ends.pods.changed() => {
                    let declared = services::declared_by_pods(&self.ends.pods.borrow());
                    self.detectors.declare_by_pods(declared);
                    self.identify(true);
                    self.apply_policy();
                }
                Ok(()) = self.ends.services.changed() => {
                    let declared = services::declared(&self.ends.services.borrow_and_update());
                    self.detectors.declare(declared);
                    self.remembering.mark();
                }
                _ = reconcile.tick() => {
                    self.reconcile();
                    self.name_workloads();
                    self.arm();
                    self.tell_edges();
                }
                event = self.ends.canary.next() => self.tell(event),
                _ = keep.tick() => self.keeper.keep(&self.detectors),
                change = self.ends.changes.next() => match change? {
                    Change::Synchronized => {
                        self.guard.is_synchronized = true;
                        if let Some(ready) = ready.take() {
                            let now = monotonic();
                            let left = self.datapath.finish_takeover(now);
                            self.bury(&left, now);
                            self.watch_waiting();
                            self.report();
                            ready();
                        } else {
                            self.watch_waiting();
                            self.report();
                        }
                    }
                    change => self.follow(change),
                },
            }
        }
        self.leave();
        self.keeper.finish(&self.detectors).await;
        self.guard.finish().await;
        Ok(())
    }

    /// Judges every pod by what is set for it now.
    fn apply_policy(&mut self) {
        self.ends.policy.mark_unchanged();
        self.ends.pods.mark_unchanged();
        self.ends.hits.follow(&self.ends.policy.borrow());
        for subject in self.roster.subjects() {
            self.set_detectors(subject);
        }
        self.set_containment();
    }

    fn set_detectors(&mut self, subject: Subject) {
        if self.roster.name(subject) == CANARY {
            let now = monotonic();
            return self.ends.canary.renew(&mut self.datapath, subject, now);
        }
        self.name_workload(subject);
        let settings = {
            let pods = self.ends.pods.borrow();
            let policy = self.ends.policy.borrow();
            match self.roster.is_node(subject) {
                true => Arc::clone(&policy.nodes),
                false => Arc::clone(policy.settings(self.binder.pod(subject, &pods))),
            }
        };
        self.detectors.set(subject, &settings, &mut self.found);
        self.renew_budget(subject, monotonic());
        self.raise();
    }

    /// Takes in what a former agent's slots told last.
    fn bury(&mut self, last: &[Observation], now: Time) {
        let gone_at = self.clock.now();
        for observation in last {
            let subject = observation.subject;
            let former = self.binder.departed(subject, gone_at);
            if let Some(Former {
                name, addresses, ..
            }) = former
            {
                self.roster.departed(subject, name, addresses);
            }
            self.observe(std::slice::from_ref(observation), now);
            self.detectors.remove(subject, &mut self.found);
            self.edges.remove(subject);
            self.raise();
            self.roster.forget_departed();
        }
    }

    fn drain_tripped(&mut self) {
        let now = monotonic();
        let observations = self.datapath.drain_tripped(now);
        self.metrics.trips.inc_by(observations.len() as u64);
        self.observe(&observations, now);
    }

    fn drain(&mut self) {
        let now = monotonic();
        let due = self.holds.due();
        let observations = self.datapath.drain(now);
        self.metrics
            .drain_seconds
            .observe(monotonic().since(now).as_secs_f64());
        self.observe(&observations, now);
        self.tell_holds(due);
        self.review();
        self.report();
    }

    fn observe(&mut self, observations: &[Observation], now: Time) {
        for observation in observations {
            if self.roster.name(observation.subject) == CANARY {
                let canary = &mut self.ends.canary;
                canary.observe(&mut self.datapath, observation, now);
                continue;
            }
            let of_node = self.roster.is_node(observation.subject);
            let own = of_node.then(|| own::own(observation));
            let observation = own.as_ref().unwrap_or(observation);
            self.metrics.count(observation);
            if !of_node {
                self.edges.observe(observation);
            }
            judge(
                &mut self.detectors,
                &mut self.datapath,
                observation,
                now,
                &mut self.found,
            );
            self.raise();
            self.let_go(observation);
        }
    }

    fn renew_budget(&mut self, subject: Subject, now: Time) {
        let budget = self.detectors.budget(subject, now);
        self.datapath.set_budget(subject, budget);
    }

    /// Takes in what is still undrained, and closes what is open: this agent will not see how it ends.
    fn leave(&mut self) {
        self.drain();
        for subject in self.roster.subjects() {
            self.detectors.remove(subject, &mut self.found);
        }
        self.raise();
    }
}

#[cfg(test)]
mod tests;
