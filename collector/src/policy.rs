//! How the detectors of all nodes are set: a file, checked whenever it changes; the last good one is told to agents.

mod metrics;

use std::{
    fs,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use api::{
    policy::{Policy, Refused, Time, revision},
    v1,
};
use tokio::{
    sync::{mpsc, watch},
    time::interval,
};

pub(crate) use metrics::Metrics;

/// A mounted ConfigMap changes by a link, which no notification of a file tells.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A file that is being replaced may be away for one look; who finds it away at the next was not replacing it.
const AWAY: u32 = 2;

/// What others see of it.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// To agents: nothing until there is a good one; one without a revision when there is no file, so that each
    /// agent does what its own says.
    pub(crate) policy: watch::Receiver<Option<v1::Policy>>,
    /// To people; none when there is no file.
    pub(crate) status: watch::Receiver<Option<v1::PolicyStatus>>,
    /// For a text that was written to where the file comes from, so that it holds before it is found there.
    pub(crate) apply: mpsc::Sender<String>,
}

/// Reads the file again whenever it changes.
#[derive(Debug)]
pub(crate) struct Follower {
    path: Option<PathBuf>,
    /// As it was read last, or why it was not.
    last: Option<Result<String, String>>,
    /// Looks in a row that found no file.
    away: u32,
    policy: watch::Sender<Option<v1::Policy>>,
    status: watch::Sender<Option<v1::PolicyStatus>>,
    /// Texts that were written to where the file comes from.
    written: mpsc::Receiver<String>,
    metrics: Metrics,
}

impl Follower {
    /// Reads it for the first time. One that cannot be used stops no collector: agents have kept the last good one.
    pub(crate) fn start(path: Option<PathBuf>, metrics: Metrics, now: SystemTime) -> (Self, Told) {
        let (policy, told) = watch::channel(path.is_none().then(v1::Policy::default));
        let (status, standing) = watch::channel(path.is_some().then(v1::PolicyStatus::default));
        let (apply, written) = mpsc::channel(1);
        let mut follower = Self {
            path,
            last: None,
            away: 0,
            policy,
            status,
            written,
            metrics,
        };
        follower.look(now);
        let told = Told {
            policy: told,
            status: standing,
            apply,
        };
        (follower, told)
    }

    /// Never ends.
    pub(crate) async fn run(mut self) {
        let mut look = interval(LOOK_EVERY);
        loop {
            let written = tokio::select! {
                _ = look.tick() => None,
                Some(written) = self.written.recv() => Some(written),
            };
            #[expect(
                clippy::disallowed_methods,
                reason = "an exception must not have ended"
            )]
            let now = SystemTime::now();
            match (written, &self.path) {
                // It was checked by whoever wrote it; what the file says next is news, or the same.
                (Some(text), Some(path)) => self.take(path.display().to_string(), &text, now),
                _ => self.look(now),
            }
        }
    }

    fn look(&mut self, now: SystemTime) {
        let Some(path) = &self.path else {
            return;
        };
        let name = path.display().to_string();
        let read = fs::read_to_string(path).map_err(|error| {
            format!(
                "cannot read {name}: {error}; check --detectors and the permissions of the file"
            )
        });
        self.away = if read.is_err() { self.away + 1 } else { 0 };
        let is_moment = read.is_err() && self.last.is_some() && self.away < AWAY;
        if self.last.as_ref() == Some(&read) || is_moment {
            return;
        }
        let is_first = self.last.is_none();
        match &read {
            Ok(text) => match check(&name, text, is_first, now) {
                Ok(()) => self.take(name, text, now),
                Err(refused) => {
                    for line in refused.lines() {
                        tracing::warn!(problem = line, "the policy cannot be used");
                    }
                    self.refuse(&refused.to_string());
                }
            },
            Err(error) => self.refuse(error),
        }
        self.last = Some(read);
    }

    fn take(&self, name: String, text: &str, now: SystemTime) {
        let revision = revision(text);
        tracing::info!(name, revision, "telling agents the policy");
        self.status.send_replace(Some(v1::PolicyStatus {
            revision: revision.clone(),
            name: name.clone(),
            ..v1::PolicyStatus::default()
        }));
        self.policy.send_replace(Some(v1::Policy {
            name,
            text: text.to_owned(),
            revision,
        }));
        self.metrics.taken(now);
    }

    fn refuse(&self, error: &str) {
        tracing::warn!(error, "the policy stays as it was before");
        self.status.send_modify(|status| {
            let status = status.get_or_insert_default();
            status.error = error.to_owned();
        });
        self.metrics.refused();
    }
}

/// An exception that ended while the file lay there is told of, and no mistake.
fn check(name: &str, text: &str, is_first: bool, now: SystemTime) -> Result<(), Refused> {
    let fresh = Policy::read(name, text, Time::New { now }, &[]).map(drop);
    match fresh {
        Err(refused) if is_first => {
            Policy::read(name, text, Time::Before, &[])?;
            for line in refused.lines() {
                tracing::warn!(problem = line, "the policy is used as it is");
            }
            Ok(())
        }
        fresh => fresh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// It ends at 1,800,000,000.
    const EXCEPTION: &str =
        "exceptions:\n- {name: a, owner: b, reason: c, until: 2027-01-15T08:00:00Z}\n";

    #[test]
    fn what_cannot_be_used_leaves_the_last_good_one_and_is_told_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("detectors.yaml");
        fs::write(&path, "silence: 1s\n").unwrap();
        let metrics = Metrics::default();
        let (mut follower, told) = Follower::start(Some(path.clone()), metrics.clone(), at(1));
        let good = told.policy.borrow().clone().unwrap();
        assert_eq!(good.revision, revision("silence: 1s\n"));
        for (text, expected) in [
            ("silence: 0s\n", "detectors.yaml:1: silence = `0s`"),
            (
                "\nlog: info\n",
                "detectors.yaml:2: log: there is no such key",
            ),
            ("a: [", "detectors.yaml:1: "),
        ] {
            fs::write(&path, text).unwrap();
            follower.look(at(2));
            assert_eq!(told.policy.borrow().as_ref(), Some(&good), "{text}");
            let status = told.status.borrow().clone().unwrap();
            assert!(status.error.contains(expected), "{}", status.error);
            assert_eq!(status.revision, good.revision);
            assert_eq!((metrics.success.get(), metrics.success_at.get()), (0, 1));
        }
        fs::remove_file(&path).unwrap();
        follower.look(at(3));
        assert_eq!(metrics.reloads.get(), 4, "it is away for a moment");
        for second in 4..9 {
            follower.look(at(second));
            assert_eq!(metrics.reloads.get(), 5, "it is deleted, and told once");
            let status = told.status.borrow().clone().unwrap();
            assert!(status.error.contains("cannot read"), "{}", status.error);
            assert_eq!((metrics.success.get(), metrics.success_at.get()), (0, 1));
            assert_eq!(told.policy.borrow().as_ref(), Some(&good));
        }
        fs::write(&path, "silence: 3s\n").unwrap();
        follower.look(at(9));
        assert_eq!(told.policy.borrow().as_ref().unwrap().text, "silence: 3s\n");
        assert_eq!(told.status.borrow().as_ref().unwrap().error, "");
        assert_eq!((metrics.success.get(), metrics.success_at.get()), (1, 9));
    }

    #[test]
    fn an_exception_that_has_ended_is_a_mistake_only_in_what_is_new() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("detectors.yaml");
        fs::write(&path, EXCEPTION).unwrap();
        let late = at(1_900_000_000);
        let (mut follower, told) = Follower::start(Some(path.clone()), Metrics::default(), late);
        assert_eq!(told.policy.borrow().as_ref().unwrap().text, EXCEPTION);
        fs::write(&path, format!("{EXCEPTION}silence: 1s\n")).unwrap();
        follower.look(late);
        assert_eq!(told.policy.borrow().as_ref().unwrap().text, EXCEPTION);
        let status = told.status.borrow().clone().unwrap();
        assert!(
            status.error.contains(":2: exceptions[0].until"),
            "{}",
            status.error
        );
    }

    #[test]
    fn without_a_file_every_agent_does_what_its_own_says() {
        let (_follower, told) = Follower::start(None, Metrics::default(), at(1));
        assert_eq!(*told.policy.borrow(), Some(v1::Policy::default()));
        assert_eq!(*told.status.borrow(), None);
    }

    #[test]
    fn a_file_that_is_not_there_stops_nobody() {
        let metrics = Metrics::default();
        let path = PathBuf::from("/nowhere/detectors.yaml");
        let (_follower, told) = Follower::start(Some(path), metrics.clone(), at(1));
        assert_eq!(*told.policy.borrow(), None);
        let status = told.status.borrow().clone().unwrap();
        assert!(status.error.contains("--detectors"), "{}", status.error);
        assert_eq!(metrics.success.get(), 0);
    }
}
