//! What the agent itself may do, and the room it has.

use std::{
    fs, io,
    path::Path,
    time::{Duration, SystemTime},
};

use agent_common::Slot;
use api::{transport::valid_until, v1::Finding};
use rustix::{
    fs::{Access, access},
    io::Errno,
    thread::CapabilitySet,
};

use super::finding::{failed, ok, unknown, warning};
use crate::{
    datapath::{Pin, is_bpffs},
    deliver::Place,
};

/// Of everything but the slots' maps: rings, the detectors of a busy node, the spool in memory.
const BASE_BYTES: u64 = 96 << 20;
const MIB: u64 = 1 << 20;
/// No limit is, in cgroup v1, as many whole pages as a signed number of bytes has (mm/page_counter.c).
const UNLIMITED: u64 = 1 << 62;
const DAY_SECONDS: u64 = 24 * 60 * 60;
/// Time enough to renew; half of it, and a certificate of some authorities has not long to live at all.
const EXPIRES_SOON: Duration = Duration::from_secs(14 * DAY_SECONDS);

/// What the agent held at its start, before it gave up what it needs no more.
pub(super) fn rights(held: CapabilitySet) -> Finding {
    let needed = [
        (CapabilitySet::BPF | CapabilitySet::SYS_ADMIN, "BPF"),
        (CapabilitySet::PERFMON | CapabilitySet::SYS_ADMIN, "PERFMON"),
        (CapabilitySet::NET_ADMIN, "NET_ADMIN"),
    ];
    let missing = needed.iter().filter(|(any, _)| !held.intersects(*any));
    let missing: Vec<_> = missing.map(|(_, name)| *name).collect();
    if missing.is_empty() {
        return ok("capabilities", "BPF, PERFMON and NET_ADMIN at the start");
    }
    failed(
        "capabilities",
        format!("without {}", missing.join(", ")),
        "run the agent as root, or with the capabilities BPF, PERFMON and NET_ADMIN",
    )
}

/// Whether the limit of the agent's control group leaves room for the maps.
pub(super) fn memory(root: &Path, slots: u32) -> Finding {
    let needed = u64::from(slots) * size_of::<Slot>() as u64 + BASE_BYTES;
    let limit = limit(root);
    let (slots, needed_mib) = (format!("{slots} slots"), needed / MIB);
    match limit {
        Ok(None) => ok(
            "cgroup_memory",
            format!("no limit; {slots} take up to {needed_mib} MiB"),
        ),
        Ok(Some(limit)) if limit >= needed => ok(
            "cgroup_memory",
            format!("{} MiB; {slots} take up to {needed_mib} MiB", limit / MIB),
        ),
        Ok(Some(limit)) => warning(
            "cgroup_memory",
            format!(
                "{} MiB, and {slots} may take {needed_mib} MiB with all else",
                limit / MIB
            ),
            "raise the memory limit of the agent's container, or lower --slots",
        ),
        Err(error) => unknown(
            "cgroup_memory",
            format!("cannot tell the limit: {error}"),
            "mount the node's cgroup v2 at /sys/fs/cgroup; the limit should be that of deploy/kubernetes",
        ),
    }
}

/// Of cgroup v1 or v2. A container sees its own group as the root, and others see it by its path.
fn limit(root: &Path) -> io::Result<Option<u64>> {
    let own = fs::read_to_string(root.join("proc/self/cgroup"))?;
    let groups = root.join("sys/fs/cgroup");
    // Lines are `hierarchy:controllers:path`, and v2 names no controllers (cgroups(7)).
    let memory = own.lines().find_map(|line| {
        let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
        controllers
            .split(',')
            .any(|it| it == "memory")
            .then_some(path)
    });
    let (groups, path, file) = match memory {
        Some(path) => (groups.join("memory"), path, "memory.limit_in_bytes"),
        None => {
            let path = own.lines().find_map(|line| line.strip_prefix("0::"));
            (groups, path.unwrap_or_default(), "memory.max")
        }
    };
    let own = groups.join(path.trim_start_matches('/')).join(file);
    let text = fs::read_to_string(own).or_else(|_| fs::read_to_string(groups.join(file)));
    match text {
        Ok(text) if text.trim() == "max" => Ok(None),
        Ok(text) => {
            let limit: u64 = text.trim().parse().map_err(io::Error::other)?;
            Ok((limit < UNLIMITED).then_some(limit))
        }
        // The root group of v2 has no limit, and no such file.
        Err(error) if error.kind() == io::ErrorKind::NotFound && groups.exists() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether what is attached outlives the agent.
pub(super) fn pins(pin: &Pin) -> Finding {
    const REMEDY: &str = "mount a bpffs (mount -t bpf bpf /sys/fs/bpf) into the agent's container, and let its user write there";
    let directory = match pin {
        Pin::Nowhere => {
            return ok(
                "bpffs",
                "nothing is pinned, as configured: what is attached ends with the agent",
            );
        }
        Pin::At(directory) | Pin::IfPossible(directory) => directory,
    };
    let there = directory.ancestors().find(|path| path.exists());
    let place = there.unwrap_or(directory);
    let shown = directory.display();
    match is_bpffs(place) {
        Ok(true) => match access(place, Access::WRITE_OK) {
            Ok(()) => ok("bpffs", format!("pins can be written in {shown}")),
            Err(error) => warning("bpffs", format!("cannot write in {shown}: {error}"), REMEDY),
        },
        Ok(false) => warning(
            "bpffs",
            format!("{shown} is on no bpffs: nothing is seen while no agent runs"),
            REMEDY,
        ),
        Err(error) => warning("bpffs", format!("cannot examine {shown}: {error}"), REMEDY),
    }
}

/// Until when the node's certificate is valid; nothing when it has none.
pub(super) fn certificate(path: Option<&Path>, now: SystemTime) -> Option<Finding> {
    const CHECK: &str = "certificate";
    const REMEDY: &str = "renew it; a running agent reads the new one by itself";
    let path = path?;
    let shown = path.display();
    Some(
        match valid_until(path).map(|until| until.duration_since(now)) {
            Ok(Ok(left)) if left >= EXPIRES_SOON => ok(
                CHECK,
                format!("{shown} expires in {} days", left.as_secs() / DAY_SECONDS),
            ),
            Ok(Ok(left)) => {
                let days = left.as_secs() / DAY_SECONDS;
                warning(CHECK, format!("{shown} expires in {days} days"), REMEDY)
            }
            Ok(Err(_)) => failed(CHECK, format!("{shown} has expired"), REMEDY),
            Err(error) => failed(CHECK, error.to_string(), REMEDY),
        },
    )
}

/// Whether events can be kept on disk, as far as can be told without an agent that runs.
pub(super) fn spool(place: &Place) -> Finding {
    let directory = match place {
        Place::Nowhere => {
            return warning(
                "spool",
                "events are kept in memory alone, as configured",
                "name a directory of the node with --spool, so that events survive the agent",
            );
        }
        Place::At(directory) | Place::IfPossible(directory) => directory,
    };
    let there = directory.ancestors().find(|path| path.exists());
    let there = there.unwrap_or(directory);
    let shown = directory.display();
    let may_write = match there.is_dir() {
        true => access(there, Access::WRITE_OK),
        false => Err(Errno::NOTDIR),
    };
    match may_write {
        Ok(()) => ok("spool", format!("events can be written in {shown}")),
        Err(error) => failed(
            "spool",
            format!("cannot write in {shown}: {error}"),
            "let the agent's user write there, or name another directory with --spool",
        ),
    }
}

#[cfg(test)]
mod tests {
    use api::v1::Verdict;

    use super::*;

    #[test]
    fn the_limit_of_the_group_must_leave_room_for_the_slots() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(memory(root.path(), 256).verdict(), Verdict::Unspecified);
        let group = root.path().join("sys/fs/cgroup/pod/agent");
        fs::create_dir_all(&group).unwrap();
        fs::create_dir_all(root.path().join("proc/self")).unwrap();
        fs::write(root.path().join("proc/self/cgroup"), "0::/pod/agent\n").unwrap();
        assert_eq!(
            memory(root.path(), 256).verdict(),
            Verdict::Ok,
            "no limit at all"
        );
        for (limit, slots, verdict) in [
            ("max", 16_384, Verdict::Ok),
            ("134217728", 256, Verdict::Ok),
            ("134217728", 1024, Verdict::Warning),
            ("67108864", 256, Verdict::Warning),
        ] {
            fs::write(group.join("memory.max"), format!("{limit}\n")).unwrap();
            let found = memory(root.path(), slots);
            assert_eq!(
                found.verdict(),
                verdict,
                "{limit}, {slots}: {}",
                found.found
            );
        }
    }

    #[test]
    fn the_limit_is_found_in_either_version_of_control_groups() {
        const V1: &str = "12:cpu,cpuacct:/pod\n5:memory:/pod\n0::/other\n";
        for (groups, file, text, expected) in [
            (
                V1,
                "memory/pod/memory.limit_in_bytes",
                "134217728",
                Some(134_217_728),
            ),
            // As a container sees its own.
            (
                V1,
                "memory/memory.limit_in_bytes",
                "134217728",
                Some(134_217_728),
            ),
            (
                V1,
                "memory/pod/memory.limit_in_bytes",
                "9223372036854771712",
                None,
            ),
            (
                "0::/pod\n",
                "pod/memory.max",
                "134217728",
                Some(134_217_728),
            ),
            ("0::/pod\n", "memory.max", "134217728", Some(134_217_728)),
            ("0::/\n", "memory.max", "max", None),
        ] {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("proc/self")).unwrap();
            fs::write(root.path().join("proc/self/cgroup"), groups).unwrap();
            let path = root.path().join("sys/fs/cgroup").join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, format!("{text}\n")).unwrap();
            assert_eq!(
                limit(root.path()).unwrap(),
                expected,
                "{groups}{file}: {text}"
            );
        }
    }

    #[test]
    fn what_the_agent_lacks_is_named() {
        let all = CapabilitySet::BPF | CapabilitySet::PERFMON | CapabilitySet::NET_ADMIN;
        assert_eq!(rights(all).verdict(), Verdict::Ok);
        let root = CapabilitySet::SYS_ADMIN | CapabilitySet::NET_ADMIN;
        assert_eq!(rights(root).verdict(), Verdict::Ok);
        let found = rights(CapabilitySet::BPF);
        assert_eq!(found.found, "without PERFMON, NET_ADMIN");
    }

    #[test]
    fn places_that_cannot_be_written_are_found() {
        assert_eq!(spool(&Place::Nowhere).verdict(), Verdict::Warning);
        let own = tempfile::tempdir().unwrap();
        let in_file = own.path().join("file/spool");
        fs::write(own.path().join("file"), "").unwrap();
        assert_eq!(
            spool(&Place::IfPossible(in_file)).verdict(),
            Verdict::Failed
        );
        let own = Place::At(own.path().join("spool"));
        assert_eq!(spool(&own).verdict(), Verdict::Ok);
        assert_eq!(
            pins(&Pin::At("/proc/picket".into())).verdict(),
            Verdict::Warning
        );
        assert_eq!(pins(&Pin::Nowhere).verdict(), Verdict::Ok);
    }
}
