//! Those who look after others: probes of the kubelet, and a scraper of metrics.

use std::net::Ipv4Addr;

use crate::pod::{Endpoint, Fate, Pod, random, tcp};

const PODS: u64 = 110;
const PROBE_SECONDS: u64 = 10;
/// Ports that workloads listen on for their probes.
const PROBED_PORTS: [u16; 8] = [80, 3000, 8080, 8081, 8443, 9090, 9440, 15_021];

/// A pod's address and port after so many restarts of it.
fn replica(pod: u64, restarts: u64) -> Endpoint {
    let address = 0x0af4_1000 + (pod + PODS * restarts) as u32;
    tcp(
        Ipv4Addr::from(address),
        PROBED_PORTS[pod as usize % PROBED_PORTS.len()],
    )
}

/// The kubelet, at the node's own interface: each of 110 pods is probed every 10 s for liveness, and for
/// readiness 3 s later. Every pod is replaced once within the hour, and refuses while it starts, which takes
/// up to 40 s. Three of them crash over and over.
pub(crate) fn kubelet(pod: &mut Pod, second: u64) {
    for number in 0..PODS {
        for (probe, shift) in [0, 3].into_iter().enumerate() {
            if !(second + number + shift).is_multiple_of(PROBE_SECONDS) {
                continue;
            }
            let replaced_at = random(number) % 3600;
            let restarts = u64::from(second >= replaced_at);
            let starting = restarts == 1 && second - replaced_at < random(number) % 40;
            let crashes = number % 37 == 5 && !(second / 60).is_multiple_of(5);
            let fate = if starting || crashes {
                Fate::Refuses(0)
            } else {
                Fate::Answers(1)
            };
            let after_ms = (random(number) + 40 * probe as u64) % 900;
            pod.call(after_ms, replica(number, restarts), fate);
        }
    }
    pod.carry(detect::VolumeClass::Tcp, 22 * 500, 22 * 700);
}

/// How often a scraper asks each of its targets.
const SCRAPE_SECONDS: u64 = 30;
const EXPORTER_PORTS: [u16; 4] = [9100, 9090, 8080, 2112];

/// A scraper of `targets` exporters on four ports, spread over the interval by their hashes as Prometheus
/// does; of each hundred `stale` are gone, and never answered since it started.
pub(crate) fn scraper(targets: u64, stale: u64) -> impl FnMut(&mut Pod, u64) {
    move |pod, second| {
        for target in 0..targets {
            if !(second + random(target)).is_multiple_of(SCRAPE_SECONDS) {
                continue;
            }
            let port = EXPORTER_PORTS[random(target + 7777) as usize % EXPORTER_PORTS.len()];
            let fate = match random(target + 99_999) % 100 < stale {
                true => Fate::Drops,
                false => Fate::Answers(2),
            };
            let address = Ipv4Addr::from(0x0af5_0000 + target as u32);
            pod.call(random(target + second) % 990, tcp(address, port), fate);
            pod.carry(detect::VolumeClass::Tcp, 400, 30_000);
        }
    }
}
