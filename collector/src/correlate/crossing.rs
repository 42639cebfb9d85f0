//! When evidence crosses a threshold.

use std::time::Duration;

use detect::Mode;

use super::{
    evidence::{Evidence, Group, Judged, Piece, nodes},
    settings::Settings,
    time::Time,
};

/// What was crossed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crossing {
    pub(super) counted: usize,
    pub(super) threshold: u32,
    pub(super) window: Duration,
    pub(super) at: Time,
}

/// Whether the piece makes its group cross a threshold.
pub(super) fn of(
    settings: &Settings,
    evidence: &Evidence,
    group: &Group,
    piece: &Piece,
) -> Option<Crossing> {
    let window = window(settings, group);
    let Judged { scanners, clients } = evidence.judge(group, piece.at, window);
    let (mode, pieces, thresholds) = match group {
        Group::Target(_) => {
            let scan = &settings.distributed_scan;
            let anywhere = (scan.sources_of_any_nodes, 1);
            (scan.mode, scanners, [(scan.sources, scan.nodes), anywhere])
        }
        Group::Workload(_) => {
            let sweep = &settings.workload_sweep;
            (sweep.mode, scanners, [(sweep.pods, sweep.nodes); 2])
        }
        Group::Dependency(_) => {
            let down = &settings.dependency_down;
            (down.mode, clients, [(down.pods, 1); 2])
        }
    };
    let reached = |count: usize, threshold: u32| count >= threshold as usize;
    let mut thresholds = thresholds.into_iter();
    let (threshold, _) = thresholds.find(|&(sources, on_nodes)| {
        reached(pieces.len(), sources) && reached(nodes(&pieces), on_nodes)
    })?;
    // Another of the group may be the one to cross it: then it is told of by that one.
    let own = pieces.iter().any(|it| it.source.name == piece.source.name);
    (own && mode != Mode::Off).then_some(Crossing {
        counted: pieces.len(),
        threshold,
        window,
        at: piece.at,
    })
}

/// Within how much time evidence of a group counts.
pub(super) const fn window(settings: &Settings, group: &Group) -> Duration {
    match group {
        Group::Target(_) => settings.distributed_scan.window,
        Group::Workload(_) => settings.workload_sweep.window,
        Group::Dependency(_) => settings.dependency_down.window,
    }
}
