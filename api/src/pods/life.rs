//! Whether an interface, or an address at a time, can have been a pod's.

use std::time::{Duration, SystemTime};

use crate::v1;

/// Kubernetes tells times in whole seconds, rounded down.
const ROUNDED: Duration = Duration::from_secs(1);
/// How late a node notices that an interface is there.
const NOTICED: Duration = Duration::from_millis(500);

/// The life of an interface as its node saw it, by the node's clock.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Life {
    /// None when it was there before anybody looked.
    pub appeared_at: Option<SystemTime>,
    /// None while it is there.
    pub gone_at: Option<SystemTime>,
}

impl Life {
    /// Whether it can have been the interface of the pod: a pod's begins after the kubelet took the pod on,
    /// before its first container starts, and ends no earlier than its last.
    #[must_use]
    pub fn may_be_of(&self, pod: &v1::Pod) -> bool {
        // Its containers started, and ended, before its interface went; of one that was deleted it is only known
        // that they had ended by then.
        let ended = pod.ended_at.filter(|_| !pod.ended_before);
        let after = [pod.running_at, ended];
        let mut after = after.into_iter().filter_map(time);
        if self.gone_at.is_some_and(|gone| after.any(|at| gone < at)) {
            return false;
        }
        if let (Some(gone), Some(started)) = (self.gone_at, time(pod.started_at))
            && gone < started
        {
            return false;
        }
        let Some(appeared) = self.appeared_at else {
            return time(pod.ended_at).is_none_or(|_| self.gone_at.is_some());
        };
        time(pod.started_at).is_none_or(|started| started <= appeared)
            && time(pod.running_at).is_none_or(|at| appeared < at + ROUNDED + NOTICED)
            && time(pod.ended_at).is_none_or(|at| appeared < at + ROUNDED)
    }
}

/// Whether the pod can have had its addresses at some time from `first` to `last`.
pub(super) fn lived(pod: &v1::Pod, first: SystemTime, last: SystemTime) -> bool {
    time(pod.started_at).is_none_or(|started| started <= last)
        && time(pod.ended_at).is_none_or(|ended| first < ended + ROUNDED)
}

pub(super) fn time(stamp: Option<v1::Timestamp>) -> Option<SystemTime> {
    stamp.and_then(|stamp| SystemTime::try_from(stamp).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn seconds(seconds: Option<u64>) -> Option<v1::Timestamp> {
        seconds.map(|seconds| at(seconds * 1000).into())
    }

    #[test]
    fn an_interface_appears_between_the_pod_and_its_first_container() {
        for (appeared, [started, running, ended], may) in [
            (100_500, [Some(100), None, None], true),
            (99_900, [Some(100), None, None], false),
            (100_500, [Some(100), Some(101), None], true),
            (102_400, [Some(100), Some(101), None], true),
            (102_600, [Some(100), Some(101), None], false),
            (100_500, [Some(99), Some(100), Some(100)], true),
            (101_100, [Some(99), None, Some(100)], false),
            (100_500, [None, None, None], true),
        ] {
            let pod = v1::Pod {
                started_at: seconds(started),
                running_at: seconds(running),
                ended_at: seconds(ended),
                ..v1::Pod::default()
            };
            let life = Life {
                appeared_at: Some(at(appeared)),
                gone_at: None,
            };
            assert_eq!(life.may_be_of(&pod), may, "{appeared}: {pod:?}");
        }
    }

    #[test]
    fn an_interface_outlasts_the_containers_of_its_pod() {
        for (gone, [running, ended], may) in [
            (100_400, [Some(100), None], true),
            (100_400, [Some(101), None], false),
            (100_400, [Some(100), Some(100)], true),
            (100_400, [None, Some(101)], false),
        ] {
            let pod = v1::Pod {
                running_at: seconds(running),
                ended_at: seconds(ended),
                ..v1::Pod::default()
            };
            let life = Life {
                appeared_at: Some(at(100_100)),
                gone_at: Some(at(gone)),
            };
            assert_eq!(life.may_be_of(&pod), may, "{gone}: {pod:?}");
        }
    }

    #[test]
    fn a_pod_that_was_deleted_may_have_lost_its_interface_before() {
        for (appeared, gone, may) in [
            (100_100, Some(100_400), true),
            (100_100, Some(107_000), true),
            (100_100, None, true),
            (106_100, Some(106_400), false),
        ] {
            let pod = v1::Pod {
                started_at: seconds(Some(100)),
                ended_at: seconds(Some(105)),
                ended_before: true,
                ..v1::Pod::default()
            };
            let life = Life {
                appeared_at: Some(at(appeared)),
                gone_at: gone.map(at),
            };
            assert_eq!(life.may_be_of(&pod), may, "{appeared} {gone:?}");
        }
    }

    #[test]
    fn what_was_there_before_anybody_looked_is_of_a_pod_that_lives() {
        let pod = |ended| v1::Pod {
            ended_at: seconds(ended),
            ..v1::Pod::default()
        };
        let there = Life::default();
        assert!(there.may_be_of(&pod(None)));
        assert!(!there.may_be_of(&pod(Some(100))));
        let gone = Life {
            gone_at: Some(at(100_000)),
            ..there
        };
        assert!(gone.may_be_of(&pod(Some(100))));
        let later = v1::Pod {
            started_at: seconds(Some(101)),
            ..v1::Pod::default()
        };
        assert!(!gone.may_be_of(&later), "it went before the pod came");
    }
}
