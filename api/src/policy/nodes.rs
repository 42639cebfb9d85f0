//! `nodes`: how what the nodes themselves do is judged, and the pods on their networks.

use detect::{Mode, Settings};

use super::{detectors, tree::Node, walk::Problems};

/// How much more than a pod a node may do.
///
/// It speaks for all pods on its network at once, and for what is no pod: kubelet and its probes, scrapers of
/// every node, balancers that look for what is alive.
const TIMES: u32 = 2;

/// Takes in what `nodes` says, beside what is the same for all.
pub(super) fn read(settings: &mut Settings, node: &Node, problems: &mut Problems) {
    for (key, value) in problems.map("nodes", node) {
        match key.text.as_str() {
            "detectors" => detectors::set(settings, "nodes.detectors", value, problems),
            _ => problems.unknown("nodes", key, &["detectors"]),
        }
    }
}

/// What nodes are judged by unless it is set otherwise. What is set for pods does not hold for them.
#[must_use]
pub(super) fn defaults() -> Settings {
    let mut settings = Settings::default();
    let scan = &mut settings.port_scan.thresholds;
    for threshold in [
        &mut scan.failed_ports_per_minute,
        &mut scan.failed_ports_per_hour,
        &mut scan.ports_per_minute,
        &mut scan.ports_per_hour,
        &mut scan.low_ports_per_minute,
        &mut scan.crafted_ports_per_hour,
    ] {
        *threshold *= TIMES;
    }
    let sweep = &mut settings.ip_sweep.thresholds;
    for threshold in [
        &mut sweep.failed_hosts_per_minute,
        &mut sweep.failed_hosts_per_hour,
        &mut sweep.unanswered_hosts_per_minute,
        &mut sweep.failed_pairs_per_minute,
    ] {
        *threshold *= TIMES;
    }
    for mode in [
        // What comes in may be for pods, and is not judged.
        &mut settings.port_scan_target.mode,
        &mut settings.bytes_in.mode,
        // A resolver on the node asks for all of its pods.
        &mut settings.dga.mode,
        &mut settings.dns_tunnel.mode,
        &mut settings.dns_enumeration.mode,
        // Networks that span nodes are tunnels between them.
        &mut settings.unexpected_tunnel.mode,
        &mut settings.udp_flood.mode,
        // Leases and heartbeats.
        &mut settings.beacon.mode,
    ] {
        *mode = Mode::Off;
    }
    settings
}
