//! The agent scans itself, through an interface of its own, and must find it: a sensor that is silent is an alert.

mod error;
mod event;
mod judge;
mod metrics;
mod scan;
mod veth;

use std::time::{Duration, SystemTime};

use api::v1;
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
    time::{sleep, timeout},
};
use tracing::{info, warn};

pub use self::{error::CanaryError, judge::Judge, metrics::Metrics};
use self::{
    event::{Silence, tested},
    judge::{QUIET, Seen},
    scan::Sent,
};
use crate::{datapath::monotonic, deliver::Agent, interfaces::CANARY};

/// For the anomaly: five times what a probe without answer takes to count as failed.
const PATIENCE: Duration = Duration::from_secs(10);
/// For the loop to have looked at the interface; it does many times a second.
const WATCHED_WITHIN: Duration = Duration::from_secs(5);
/// For the loop to have counted all that was sent.
const COUNTED_WITHIN: Duration = Duration::from_secs(1);
/// Events that wait for the loop: a silence that begins or ends, and a scan that was asked for.
const EVENTS: usize = 2;
/// Requests for a scan that wait for the next one.
pub const REQUESTS: usize = 8;
/// Between two scans, so that the anomaly of the one is closed before the other begins.
const REST: Duration = QUIET.saturating_add(Duration::from_secs(1));

/// Scans, again and again.
#[derive(Debug)]
pub struct Canary {
    agent: Agent,
    run: u64,
    asked: mpsc::Receiver<String>,
    silence: Option<Silence>,
    seen: watch::Receiver<Seen>,
    events: mpsc::Sender<v1::Event>,
    status: watch::Sender<Option<v1::Canary>>,
    metrics: Metrics,
}

enum Outcome {
    Found { delay: Duration, counts: Counts },
    Missed { counts: Counts },
    Impossible(CanaryError),
}

/// Packets that were sent, and those of them that the programs counted.
#[derive(Clone, Copy)]
struct Counts {
    sent: Sent,
    counted: Sent,
}

impl Canary {
    /// One that has not begun, what judges it, and how it went last. A scan that is `asked` for is told of by an
    /// event with that id.
    #[must_use]
    pub fn new(
        agent: Agent,
        asked: mpsc::Receiver<String>,
        metrics: Metrics,
    ) -> (Self, Judge, watch::Receiver<Option<v1::Canary>>) {
        let (seen, shown) = watch::channel(Seen::default());
        let (events, told) = mpsc::channel(EVENTS);
        let (status, reported) = watch::channel(None);
        let judge = Judge::new(seen, told);
        let canary = Self {
            // A sensor that was taken over knows what a former agent tried.
            run: agent.epoch / 1_000_000_000,
            agent,
            asked,
            silence: None,
            seen: shown,
            events,
            status,
            metrics,
        };
        (canary, judge, reported)
    }

    /// Scans this often, and whenever it is asked to; never ends.
    pub async fn run(mut self, every: Duration) {
        let mut asked: Vec<String> = Vec::new();
        loop {
            let began = now();
            let mut outcome = self.scan().await;
            if matches!(outcome, Outcome::Missed { .. }) {
                // The programs may just have been attached again.
                outcome = self.scan().await;
            }
            let status = self.tell(&outcome).await;
            for id in asked.drain(..) {
                let event = tested(&self.agent, &id, &status, began);
                // The loop that would raise it is gone when nobody takes it.
                drop(self.events.send(event).await);
            }
            sleep(REST).await;
            tokio::select! {
                () = sleep(pause(every, self.run).saturating_sub(REST)) => {}
                Some(id) = self.asked.recv() => asked.push(id),
            }
            // One scan answers all of them.
            asked.extend(std::iter::from_fn(|| self.asked.try_recv().ok()));
        }
    }

    async fn scan(&mut self) -> Outcome {
        self.run += 1;
        self.metrics.runs.inc();
        let outcome = self.attempt().await.unwrap_or_else(Outcome::Impossible);
        match &outcome {
            Outcome::Found { delay, .. } => self.metrics.found(*delay, now()),
            _ => drop(self.metrics.failures.inc()),
        }
        outcome
    }

    async fn attempt(&mut self) -> Result<Outcome, CanaryError> {
        match spawn_blocking(veth::make).await {
            Ok(made) => made?,
            Err(error) => {
                return Err(CanaryError::Interfaces {
                    action: "make the interfaces of the canary",
                    source: error.into(),
                });
            }
        }
        self.seen.mark_unchanged();
        if !matches!(
            timeout(WATCHED_WITHIN, self.seen.changed()).await,
            Ok(Ok(()))
        ) {
            return Err(CanaryError::Unwatched { interface: CANARY });
        }
        let before = *self.seen.borrow_and_update();
        // First, so that they are counted by the time that the others are found.
        let back = scan::send_back(self.run)?;
        let began = monotonic();
        let sent = scan::send(self.run)?;
        let found = |seen: &Seen| seen.found.is_some_and(|at| at >= began);
        let waited = timeout(PATIENCE, self.seen.wait_for(found)).await.map(drop);
        let found = waited.is_ok();
        // It may be found by the first of them, and the last be counted at the next tick.
        let all = |seen: &Seen| {
            seen.counted.packets >= before.counted.packets + sent
                && seen.counted.back >= before.counted.back + back
        };
        let counted = timeout(COUNTED_WITHIN, self.seen.wait_for(all));
        drop(counted.await.map(drop));
        let seen = *self.seen.borrow();
        let counts = Counts {
            sent: Sent {
                packets: sent,
                back,
            },
            counted: Sent {
                packets: seen.counted.packets - before.counted.packets,
                back: seen.counted.back - before.counted.back,
            },
        };
        let delay = seen.found.unwrap_or(began).since(began);
        Ok(if found && counts.counted.back > 0 {
            Outcome::Found { delay, counts }
        } else {
            Outcome::Missed { counts }
        })
    }

    async fn tell(&mut self, outcome: &Outcome) -> v1::Canary {
        let now = now();
        let status = status(outcome, now);
        match outcome {
            Outcome::Found { .. } => {
                self.metrics.silent.set(0);
                if let Some(silence) = self.silence.take() {
                    info!("the sensor sees again");
                    // The loop that would raise it is gone when nobody takes it.
                    drop(self.events.send(silence.ends(now)).await);
                }
            }
            Outcome::Missed { .. } => {
                warn!(reason = status.reason, "the sensor is silent");
                self.metrics.silent.set(1);
                if self.silence.is_none() {
                    let silence = Silence {
                        node: self.agent.node.clone(),
                        epoch: self.agent.epoch,
                        since: now,
                    };
                    drop(self.events.send(silence.begins(&status.reason)).await);
                    self.silence = Some(silence);
                }
            }
            Outcome::Impossible(error) => {
                let said = self.status.borrow().as_ref().map(|it| it.reason.clone());
                if said.as_ref() != Some(&status.reason) {
                    warn!(%error, "the agent does not scan itself");
                }
            }
        }
        self.status.send_replace(Some(status.clone()));
        status
    }
}

/// Up to a quarter less than `every`, and out of step with whatever else happens at intervals: a sensor that is
/// repaired every ten seconds would be found well every sixty.
fn pause(every: Duration, run: u64) -> Duration {
    /// The golden ratio, whose multiples spread most evenly (Weyl).
    const RATIO: u64 = 0x9e37_79b9;
    let share = run.wrapping_mul(RATIO) as u32;
    every - every / 4 * (share >> 8) / (u32::MAX >> 8)
}

/// Removes the interfaces of canaries; whether there were any.
///
/// # Errors
/// When the kernel refuses.
pub fn remove() -> Result<bool, CanaryError> {
    veth::remove()
}

fn status(outcome: &Outcome, now: SystemTime) -> v1::Canary {
    let at = Some(now.into());
    match outcome {
        Outcome::Found { delay, counts } => v1::Canary {
            at,
            found: true,
            delay: v1::Duration::try_from(*delay).ok(),
            ..counted(counts)
        },
        Outcome::Missed { counts } => v1::Canary {
            at,
            reason: missed(counts),
            ..counted(counts)
        },
        Outcome::Impossible(error) => v1::Canary {
            at,
            reason: error.to_string(),
            ..v1::Canary::default()
        },
    }
}

const fn counted(Counts { sent, counted }: &Counts) -> v1::Canary {
    v1::Canary {
        at: None,
        found: false,
        delay: None,
        packets_sent: sent.packets,
        packets_counted: counted.packets,
        reason: String::new(),
        packets_sent_back: sent.back,
        packets_counted_back: counted.back,
    }
}

fn missed(Counts { sent, counted }: &Counts) -> String {
    for (program, sent, counted) in [
        ("from_pod", sent.packets, counted.packets),
        ("to_pod", sent.back, counted.back),
    ] {
        if counted == 0 {
            return format!(
                "none of {sent} packets was counted at {CANARY}: the program {program} is not attached there, or \
                 another takes the packets away before it"
            );
        }
    }
    let seconds = PATIENCE.as_secs();
    let (sent, counted) = (sent.packets, counted.packets);
    format!(
        "{counted} of {sent} packets were counted, and no anomaly came of them within {seconds} s"
    )
}

#[expect(clippy::disallowed_methods, reason = "the canary owns this clock")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_of_every_length_within_a_quarter() {
        let every = Duration::from_secs(60);
        let pauses: Vec<_> = (1000..1100).map(|run| pause(every, run)).collect();
        let (least, most) = (Duration::from_secs(45), every);
        assert!(
            pauses.iter().all(|it| (least..=most).contains(it)),
            "{pauses:?}"
        );
        let mut tenths = [0; 15];
        for pause in &pauses {
            tenths[(pause.as_secs() as usize - 45).min(14)] += 1;
        }
        assert!(tenths.iter().all(|count| *count > 0), "{tenths:?}");
    }

    #[test]
    fn what_was_missed_says_whether_it_was_counted() {
        for (packets, back, expected) in [
            (
                0,
                32,
                "none of 32 packets was counted at picket-canary0: the program from_pod is not attached",
            ),
            (
                32,
                0,
                "none of 32 packets was counted at picket-canary0: the program to_pod is not attached",
            ),
            (30, 32, "30 of 32 packets were counted"),
        ] {
            let (packets, back) = (
                Sent {
                    packets: 32,
                    back: 32,
                },
                Sent { packets, back },
            );
            let missed = missed(&Counts {
                sent: packets,
                counted: back,
            });
            assert!(missed.starts_with(expected), "{missed}");
        }
    }
}
