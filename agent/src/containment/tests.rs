//! The decisions one by one, and a thousand random ones together.

mod decisions;
mod holds;
mod scenarios;
mod trips;
mod world;

use std::time::Duration;

use api::{
    containment::{Mode, Settings},
    v1,
};
use detect::{Subject, Time};

use super::{Containment, Found, Suspect};

const fn subject(ifindex: u32) -> Subject {
    Subject { ifindex, epoch: 1 }
}

fn at(seconds: u64) -> Time {
    Time::default() + Duration::from_secs(seconds)
}

fn pod(namespace: &str, name: &str) -> v1::Pod {
    v1::Pod {
        namespace: namespace.into(),
        name: name.into(),
        uid: format!("uid-{name}"),
        ..v1::Pod::default()
    }
}

fn suspect(ifindex: u32, pod: &v1::Pod) -> Suspect<'_> {
    Suspect {
        subject: subject(ifindex),
        pod: Some(pod),
    }
}

fn acting() -> Settings {
    Settings {
        mode: Mode::Act,
        max_share_percent: 100,
        ..Settings::default()
    }
}

const SCAN: Found<'_> = Found {
    detector: "port_scan",
    state: v1::State::Opened,
    shadow: false,
    is_source: true,
    anomaly_id: "a1",
    summary: "it scanned",
};

fn machine(settings: Settings) -> Containment {
    Containment::new(settings, 7)
}
