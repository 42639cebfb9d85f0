//! What the collector finds in the events of many nodes: the names of it, and how to say it.

use detect::Words;

/// The node in the ids of events that the collector raised itself. No node can be named so: it is no DNS
/// name.
pub const COLLECTOR: &str = "@collector";

/// Several pods scan one target.
pub const DISTRIBUTED_SCAN: &str = "distributed_scan";

/// Several pods of one workload scan.
pub const WORKLOAD_SWEEP: &str = "workload_sweep";

/// Many pods fail towards one target in the same way: it is down.
pub const DEPENDENCY_DOWN: &str = "dependency_down";

/// Who did it, when the event names no one pod.
pub(crate) fn subject(detector: &str) -> &'static str {
    match detector {
        DISTRIBUTED_SCAN | DEPENDENCY_DOWN => "several pods",
        _ => "somebody",
    }
}

pub(crate) fn words(detector: &str) -> Option<Words> {
    let words = match detector {
        DISTRIBUTED_SCAN => Words {
            opened: "together scanned {}",
            updated: "together still scan {}",
            closed: "stopped scanning {} together",
            samples: "such as",
        },
        WORKLOAD_SWEEP => Words {
            opened: "scanned {} from several nodes",
            updated: "still scan {} from several nodes",
            closed: "stopped scanning {} from several nodes",
            samples: "such as",
        },
        DEPENDENCY_DOWN => Words {
            opened: "fail towards {} alike, which looks down",
            updated: "still fail towards {} alike, which looks down",
            closed: "stopped failing towards {} alike",
            samples: "such as",
        },
        _ => return None,
    };
    Some(words)
}
