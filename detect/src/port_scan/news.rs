//! What the steps of a pod's probes mean for the ports of its destinations.

use std::net::IpAddr;

use super::Thresholds;
use crate::{
    Time,
    probes::{Fate, Probes, Step},
    window::reached,
};

/// What one observation added to the evidence.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// The first time that a destination crossed a threshold for failed ports.
    pub(super) crossing: Option<Crossing>,
    /// The first destination with too many ports probed with crafted packets.
    pub(super) crafted: Option<Counted>,
    /// The first destination with too many new low ports.
    pub(super) low: Option<Counted>,
    /// When a port last failed that had not failed before.
    pub(super) failed_at: Option<Time>,
    /// When the packet of that failure passed: the refusal, or the probe without an answer.
    pub(super) failure_passed_at: Option<Time>,
    /// When the last probe passed.
    pub(super) sent_at: Option<Time>,
}

/// How many ports of a destination there are by now, and since when too many.
#[derive(Clone, Copy, Debug)]
pub(super) struct Counted {
    pub(super) at: Time,
    pub(super) address: IpAddr,
    pub(super) ports: u32,
}

/// A destination crossed a threshold for failed ports.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) at: Time,
    pub(super) address: IpAddr,
    /// Index of the horizon.
    pub(super) horizon: usize,
}

impl News {
    pub(super) fn read(steps: &[Step], probes: &mut Probes, thresholds: &Thresholds) -> Self {
        let mut news = Self::default();
        for step in steps.iter().filter(|step| step.service.is_port()) {
            let &Step { at, address, .. } = step;
            match step.fate {
                Fate::Sent(new) => {
                    news.sent_at = Some(at);
                    let count = |counted: &mut Option<Counted>, ports, limit| {
                        if ports >= limit {
                            let at = counted.map_or(at, |first| first.at);
                            *counted = Some(Counted { at, address, ports });
                        }
                    };
                    count(
                        &mut news.crafted,
                        new.crafted,
                        thresholds.crafted_ports_per_hour,
                    );
                    count(&mut news.low, new.low, thresholds.low_ports_per_minute);
                }
                Fate::Failed { new, ports, .. } => {
                    if new {
                        news.failed_at = Some(at);
                        news.failure_passed_at = Some(step.passed_at);
                    }
                    if let Some(horizon) = reached(ports, thresholds.failed_ports())
                        && probes.destinations.cross(address)
                    {
                        news.crossing.get_or_insert(Crossing {
                            at,
                            address,
                            horizon,
                        });
                    }
                }
                Fate::Answered | Fate::Overdue => {}
            }
        }
        news
    }
}
