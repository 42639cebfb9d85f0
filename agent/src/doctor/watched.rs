//! What the running agent watches, and whose programs run beside its own.

use api::v1::{CoverageState, Durability, Finding, NodeStatus};

use super::finding::{failed, ok, unknown, warning};
use crate::{
    datapath::{self, Hooks, Pin},
    whose::Whose,
};

/// Of interfaces and pods, named in one finding.
const NAMED: usize = 5;

/// What the status of the agent says.
pub(super) fn examine(status: &NodeStatus, scans: bool) -> Vec<Finding> {
    vec![
        spool(status),
        interfaces(status),
        pods(status),
        directions(status),
        canary(status, scans),
    ]
}

fn spool(status: &NodeStatus) -> Finding {
    match &status.spool {
        None => ok(
            "spool",
            "without a collector, events are for subscribers alone",
        ),
        Some(spool) if spool.durability() == Durability::Durable => {
            ok("spool", "events are on the disk before they are sent")
        }
        Some(spool) => warning(
            "spool",
            format!("events are kept in memory alone: {}", spool.reason),
            "give the agent a directory of the node that it may write, with --spool",
        ),
    }
}

fn interfaces(status: &NodeStatus) -> Finding {
    let unwatched: Vec<_> = status.unwatched.iter().collect();
    let Some(first) = unwatched.first() else {
        return ok(
            "interfaces",
            format!("{} watched, and none left out", status.slots.len()),
        );
    };
    let names = named(unwatched.iter().map(|it| it.interface.clone()));
    warning(
        "interfaces",
        format!(
            "not watched: {names}; {}: {}",
            first.interface, first.reason
        ),
        "raise --slots when there are too few; otherwise the reason says what to do",
    )
}

fn pods(status: &NodeStatus) -> Finding {
    let missing = status
        .pods
        .iter()
        .filter(|pod| pod.state() == CoverageState::NotAttached);
    let missing: Vec<_> = missing.collect();
    let Some(first) = missing.first() else {
        return ok(
            "pods",
            format!(
                "{} known, and each is watched as it can be",
                status.pods.len()
            ),
        );
    };
    let names = named(
        missing
            .iter()
            .map(|it| format!("{}/{}", it.namespace, it.pod)),
    );
    warning(
        "pods",
        format!("not watched: {names}; {}: {}", first.pod, first.reason),
        "name the interfaces of the node's CNI with --interfaces",
    )
}

/// What redirects packets to a pod's own end of its veth (`bpf_redirect_peer`) leads them past the other.
fn directions(status: &NodeStatus) -> Finding {
    let one_way = status.slots.iter().filter(|slot| slot.one_way);
    let one_way: Vec<_> = one_way.map(|slot| slot.interface.clone()).collect();
    if one_way.is_empty() {
        return ok("directions", "both directions of each pod are seen");
    }
    warning(
        "directions",
        format!(
            "nothing comes to what is behind {}: all they do looks unanswered",
            named(one_way)
        ),
        "let packets to pods pass the host's side of their veths: with Cilium, set bpf.hostLegacyRouting=true",
    )
}

fn canary(status: &NodeStatus, scans: bool) -> Finding {
    match &status.canary {
        None if scans => unknown(
            "canary",
            "the agent has not scanned itself yet",
            "ask again in a minute; `picket selftest` lets it scan at once",
        ),
        None => warning(
            "canary",
            "the agent does not scan itself",
            "set --canary to an interval, so that a sensor that went silent is noticed",
        ),
        Some(canary) if canary.found => ok("canary", "the last scan of the agent's own was found"),
        Some(canary) if canary.packets_sent == 0 => warning(
            "canary",
            format!("the agent cannot scan itself: {}", canary.reason),
            "allow what the reason names, or set --canary off",
        ),
        Some(canary) => failed(
            "canary",
            format!("the sensor is silent: {}", canary.reason),
            "see `foreign_programs`, and restart the agent; its log says what is attached",
        ),
    }
}

/// Whose programs run at the watched interfaces.
pub(super) fn beside(hooks: &Hooks, status: &NodeStatus) -> Finding {
    const CHECK: &str = "foreign_programs";
    let (mut before, mut after, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for slot in &status.slots {
        let name = &slot.interface;
        let whose = if slot.uplink { Whose::Node } else { Whose::Pod };
        let hooks = match hooks.of(name, whose) {
            Ok(hooks) => hooks,
            // It went meanwhile.
            Err(error) if error.raw_os_error() == Some(libc::ENODEV) => continue,
            Err(error) => {
                return unknown(
                    CHECK,
                    format!("cannot tell what runs at {name}: {error}"),
                    "see with `tc filter show dev NAME ingress` and `bpftool net show`, as root of the node",
                );
            }
        };
        if hooks.iter().any(|hook| !hook.attached) {
            missing.push(name.clone());
        }
        let ids: Vec<_> = hooks.iter().flat_map(|hook| &hook.before).collect();
        if !ids.is_empty() {
            before.push(format!("{name} (program ids {ids:?})"));
        }
        if hooks
            .iter()
            .any(|hook| hook.attached && !hook.after.is_empty())
        {
            after.push(name.clone());
        }
    }
    if !missing.is_empty() {
        return failed(
            CHECK,
            format!("our programs are not attached any more: {}", named(missing)),
            "find out who detached them; the agent attaches them again within ten seconds",
        );
    }
    if !before.is_empty() {
        return warning(
            CHECK,
            format!("programs of others run before ours: {}", named(before)),
            "what they drop or redirect is not seen; `bpftool net show` and `bpftool prog show id ID` say whose they are",
        );
    }
    let watched = status.slots.len();
    match after.len() {
        0 => ok(CHECK, format!("none at the {watched} watched interfaces")),
        beside => ok(
            CHECK,
            format!(
                "others run after ours at {beside} of {watched} interfaces: {}",
                named(after)
            ),
        ),
    }
}

/// Whose programs run at any interface, as far as can be told without an agent that runs.
pub(super) fn strangers(pin: &Pin) -> Finding {
    const CHECK: &str = "foreign_programs";
    match datapath::strangers(pin) {
        Ok(found) if found.is_empty() => {
            ok(CHECK, "no programs but those that an agent has pinned")
        }
        Ok(found) => ok(
            CHECK,
            format!(
                "not pinned by an agent: {}; `picket doctor` says whether any runs before ours",
                named(
                    found
                        .into_iter()
                        .map(|(name, ids)| format!("{name} (program ids {ids:?})"))
                )
            ),
        ),
        Err(error) => unknown(
            CHECK,
            format!("cannot tell what runs at the interfaces: {error}"),
            "ask as root of the node, in its network namespace",
        ),
    }
}

fn named(names: impl IntoIterator<Item = String>) -> String {
    let names: Vec<_> = names.into_iter().collect();
    let more = names.len().saturating_sub(NAMED);
    let mut text = names[..names.len().min(NAMED)].join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}

#[cfg(test)]
mod tests {
    use api::v1::{Canary, PodCoverage, Slot, Unwatched, Verdict};

    use super::*;

    #[test]
    fn what_is_not_watched_is_found() {
        let status = NodeStatus {
            unwatched: (0..7)
                .map(|index| Unwatched {
                    interface: format!("veth{index}"),
                    reason: "no free slot".into(),
                })
                .collect(),
            pods: vec![PodCoverage {
                namespace: "blue".into(),
                pod: "app1".into(),
                state: CoverageState::NotAttached.into(),
                reason: "no interface".into(),
                ..PodCoverage::default()
            }],
            slots: vec![Slot {
                interface: "lxc1".into(),
                one_way: true,
                ..Slot::default()
            }],
            canary: Some(Canary {
                packets_sent: 32,
                reason: "nothing was counted".into(),
                ..Canary::default()
            }),
            ..NodeStatus::default()
        };
        let findings = examine(&status, true);
        let found: Vec<_> = findings
            .iter()
            .map(|it| (it.check.as_str(), it.verdict(), it.found.as_str()))
            .collect();
        assert_eq!(
            found[1..],
            [
                (
                    "interfaces",
                    Verdict::Warning,
                    "not watched: veth0, veth1, veth2, veth3, veth4 and 2 more; veth0: no free slot"
                ),
                (
                    "pods",
                    Verdict::Warning,
                    "not watched: blue/app1; app1: no interface"
                ),
                (
                    "directions",
                    Verdict::Warning,
                    "nothing comes to what is behind lxc1: all they do looks unanswered"
                ),
                (
                    "canary",
                    Verdict::Failed,
                    "the sensor is silent: nothing was counted"
                ),
            ]
        );
    }
}
