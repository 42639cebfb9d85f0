//! Interfaces come, are renamed, get addresses and go.

use std::net::IpAddr;

use detect::Subject;
use tracing::{info, warn};

use super::Sentry;
use crate::{
    datapath::monotonic,
    interfaces::{CANARY, Change},
    whose::Whose,
};

impl Sentry {
    pub(super) fn follow(&mut self, change: Change) {
        match change {
            Change::Appeared {
                ifindex,
                name,
                whose,
                appeared_at,
            } => {
                if is_pod(&name, whose) {
                    self.clock = self.clock.again();
                    let now = self.clock.now();
                    self.binder.appeared(ifindex, &name, appeared_at, now);
                }
                self.watch(ifindex, name, whose);
            }
            Change::Renamed { ifindex, name } => {
                self.binder.renamed(ifindex, &name);
                self.roster.rename(ifindex, name);
                self.watch_waiting();
            }
            Change::Gone { ifindex } => {
                self.unwatch(ifindex);
                self.watch_waiting();
            }
            Change::Addresses { ifindex, addresses } => {
                if let Some(subject) = self.roster.subject(ifindex) {
                    self.set_addresses(subject, &addresses);
                }
                self.binder.addresses(ifindex, &addresses);
                self.roster.set_addresses(ifindex, addresses);
                self.identify(true);
                if let Some(subject) = self.roster.subject(ifindex) {
                    self.set_detectors(subject);
                }
            }
            Change::Synchronized => {}
        }
    }

    fn watch(&mut self, ifindex: u32, name: String, whose: Whose) {
        match self.datapath.watch_named(ifindex, whose, &name) {
            Ok(subject) => {
                info!(interface = name, ifindex, ?whose, "watching");
                if is_pod(&name, whose) {
                    self.binder.watched(subject);
                }
                self.roster.watched(subject, name, whose);
                self.set_addresses(subject, self.roster.addresses(ifindex));
                self.set_detectors(subject);
                self.arm();
            }
            Err(error) => {
                let reason = error.to_string();
                if self.roster.reason(ifindex) != Some(&reason) {
                    warn!(interface = name, ifindex, reason, "not watching");
                    self.metrics.refused_interfaces.inc();
                }
                self.roster.unwatched(ifindex, name, whose, reason);
            }
        }
    }

    /// Tries again what could not be watched: a slot or a name may be free by now.
    pub(super) fn watch_waiting(&mut self) {
        for (ifindex, name, whose) in self.roster.waiting() {
            self.watch(ifindex, name, whose);
        }
    }

    /// A node may have addresses that are none of this interface's: of it no source is spoofed.
    fn set_addresses(&self, subject: Subject, addresses: &[IpAddr]) {
        let known = if self.roster.is_node(subject) {
            &[]
        } else {
            addresses
        };
        self.datapath.set_addresses(subject, known);
    }

    fn unwatch(&mut self, ifindex: u32) {
        let now = monotonic();
        if let Some(last) = self.datapath.unwatch(ifindex, now) {
            self.observe(&[last], now);
        }
        if let Some(subject) = self.roster.subject(ifindex) {
            self.detectors.remove(subject, &mut self.found);
            self.edges.remove(subject);
            self.raise();
        }
        self.clock = self.clock.again();
        self.binder.gone(ifindex, self.clock.now());
        self.identify(true);
        if let Some(name) = self.roster.remove(ifindex) {
            info!(interface = name, ifindex, "gone");
        }
    }
}

/// The canary is nobody's pod.
fn is_pod(name: &str, whose: Whose) -> bool {
    whose == Whose::Pod && name != CANARY
}
