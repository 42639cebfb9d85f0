//! The loop's side: what the programs see of the canary is judged by itself, and is nobody's anomaly.

use std::{sync::Arc, time::Duration};

use api::v1;
use detect::{Anomaly, Class, Detectors, Mode, Observation, Settings, State, Subject, Time};
use tokio::sync::{mpsc, watch};

use super::scan::Sent;
use crate::datapath::Datapath;

/// Between two runs an anomaly must have been closed.
pub(super) const QUIET: Duration = Duration::from_secs(5);

/// What was seen of the canary.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    /// Packets that the programs counted.
    pub(super) counted: Sent,
    /// When an anomaly opened last.
    pub(super) found: Option<Time>,
}

/// Judges the canary, whatever is set for pods.
#[derive(Debug)]
pub struct Judge {
    detectors: Detectors,
    subject: Option<Subject>,
    opened: Vec<Anomaly>,
    seen: watch::Sender<Seen>,
    events: mpsc::Receiver<v1::Event>,
}

impl Judge {
    pub(super) fn new(seen: watch::Sender<Seen>, events: mpsc::Receiver<v1::Event>) -> Self {
        let mut settings = Settings::off();
        settings.port_scan.mode = Mode::On;
        settings.port_scan.thresholds.quiet = QUIET;
        Self {
            detectors: Detectors::new(Arc::new(settings)),
            subject: None,
            opened: Vec::new(),
            seen,
            events,
        }
    }

    /// Takes in what the canary's interface has shown.
    pub fn observe(&mut self, datapath: &mut Datapath, observation: &Observation, now: Time) {
        let subject = observation.subject;
        if let Some(former) = self.subject.replace(subject)
            && former != subject
        {
            self.detectors.remove(former, &mut self.opened);
            self.opened.clear();
        }
        self.detectors.observe(observation, now, &mut self.opened);
        self.renew(datapath, subject, now);
        let opened = self.opened.iter().any(|it| it.state == State::Opened);
        self.opened.clear();
        self.seen.send_modify(|seen| {
            seen.counted.packets += observation.initiated[Class::Syn as usize];
            seen.counted.back += observation.probed.len() as u64;
            if opened {
                seen.found = Some(now);
            }
        });
    }

    /// Lets the programs wake the loop as they do for a pod.
    pub fn renew(&self, datapath: &mut Datapath, subject: Subject, now: Time) {
        datapath.set_budget(subject, self.detectors.budget(subject, now));
    }

    /// What there is to be told of the sensor, without its id. Cancel safe.
    pub async fn next(&mut self) -> v1::Event {
        match self.events.recv().await {
            Some(event) => event,
            // Nobody scans, so there is nothing to tell, ever.
            None => std::future::pending().await,
        }
    }
}
