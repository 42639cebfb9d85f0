//! Decides which policy is in force: what the collector told last, or else what the agent's own file says; the last
//! good one of it.

use std::time::SystemTime;

use api::{
    policy::{Policy, Refused, Time},
    v1,
};
use tokio::{
    sync::{mpsc, watch},
    task::spawn_blocking,
};
use tracing::{info, warn};

use super::{Kept, metrics::Metrics};

/// What others see of it.
#[derive(Clone, Debug)]
pub struct Standing {
    /// What pods are judged by.
    pub policy: watch::Receiver<Policy>,
    /// Where that comes from.
    pub status: watch::Receiver<v1::PolicyStatus>,
}

/// The policy in force, and who changes it.
#[derive(Debug)]
pub struct InForce {
    own: Policy,
    told: bool,
    /// Why the last change of either was not taken; empty when it was.
    own_error: String,
    told_error: String,
    kept: Option<Kept>,
    policy: watch::Sender<Policy>,
    status: watch::Sender<v1::PolicyStatus>,
    metrics: Metrics,
}

impl InForce {
    /// What was told before, where it is kept, or else the agent's own.
    #[must_use]
    pub fn start(own: Policy, kept: Option<Kept>, metrics: Metrics) -> (Self, Standing) {
        let (policy, judged_by) = watch::channel(own.clone());
        let (status, standing) = watch::channel(v1::PolicyStatus::default());
        let mut in_force = Self {
            own,
            told: false,
            own_error: String::new(),
            told_error: String::new(),
            kept,
            policy,
            status,
            metrics,
        };
        in_force.metrics.taken(now());
        let before = in_force.kept.as_ref().map(Kept::read).transpose();
        match before.map(Option::flatten) {
            Ok(Some(before)) => {
                let taken = in_force.take(&before);
                in_force.reloaded(taken);
            }
            Ok(None) => {}
            Err(error) => warn!(%error, "the policy of before is lost"),
        }
        let standing = Standing {
            policy: judged_by,
            status: standing,
        };
        (in_force, standing)
    }

    /// Follows what is told, and what the agent's own file says.
    pub async fn run(
        mut self,
        mut told: watch::Receiver<Option<v1::Policy>>,
        mut own: mpsc::Receiver<Result<Policy, Refused>>,
    ) {
        loop {
            tokio::select! {
                Ok(()) = told.changed() => {
                    let policy = told.borrow_and_update().clone();
                    if let Some(policy) = policy {
                        self.hear(policy).await;
                    }
                }
                Some(own) = own.recv() => self.follow(own),
                else => return,
            }
        }
    }

    async fn hear(&mut self, policy: v1::Policy) {
        let is_in_force = policy.revision == self.status.borrow().revision;
        if is_in_force && self.told_error.is_empty() {
            return;
        }
        if policy.revision.is_empty() {
            info!("the collector tells no policy: the agent's own configuration is in force");
            self.told = false;
            self.told_error.clear();
            self.policy.send_replace(self.own.clone());
            self.status.send_replace(v1::PolicyStatus::default());
            self.reloaded(true);
            return self.keep(None).await;
        }
        let taken = self.take(&policy);
        self.reloaded(taken);
        if taken {
            self.keep(Some(policy)).await;
        }
    }

    /// Whether it is in force now. An exception of it may have ended since the collector checked it.
    fn take(&mut self, policy: &v1::Policy) -> bool {
        match Policy::read(&policy.name, &policy.text, Time::Before, &[]) {
            Ok(fresh) => {
                let (name, revision) = (&policy.name, &policy.revision);
                info!(name, revision, "the collector's policy is in force");
                self.told = true;
                self.told_error.clear();
                self.policy.send_replace(fresh);
                self.status.send_replace(v1::PolicyStatus {
                    revision: policy.revision.clone(),
                    name: policy.name.clone(),
                    ..v1::PolicyStatus::default()
                });
                true
            }
            Err(refused) => {
                let error = format!(
                    "this agent, of version {}, cannot use the collector's policy: {refused}",
                    env!("CARGO_PKG_VERSION")
                );
                warn!(error, "the policy stays as it was before");
                self.told_error = error;
                false
            }
        }
    }

    fn follow(&mut self, own: Result<Policy, Refused>) {
        let taken = own.is_ok();
        if taken {
            self.own_error.clear();
        }
        match own {
            Ok(fresh) if self.told => {
                info!("the agent's own file changed, and the collector's policy stays in force");
                self.own = fresh;
            }
            Ok(fresh) => {
                info!("the detectors are set anew");
                self.own = fresh.clone();
                self.policy.send_replace(fresh);
            }
            Err(error) => {
                warn!(%error, "the detectors stay as they were set before");
                self.own_error = error.to_string();
            }
        }
        self.reloaded(taken);
    }

    /// What stands refused of the one whose word counts is told until it is mended. The agent's own file does not
    /// count while the collector's policy is in force.
    fn reloaded(&self, taken: bool) {
        let error = match (&self.told_error, self.told) {
            (told, _) if !told.is_empty() => told,
            (_, false) => &self.own_error,
            (none, true) => none,
        };
        self.metrics.reloaded(taken.then(now), error.is_empty());
        self.status
            .send_modify(|status| status.error.clone_from(error));
    }

    async fn keep(&self, policy: Option<v1::Policy>) {
        let Some(kept) = self.kept.clone() else {
            return;
        };
        let written = spawn_blocking(move || kept.write(policy.as_ref())).await;
        if let Ok(Err(error)) = written {
            warn!(%error, "the policy will not hold after a restart without a collector");
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "when a policy came into force")]
fn now() -> SystemTime {
    SystemTime::now()
}

#[cfg(test)]
mod tests {
    use api::policy::revision;

    use super::*;

    fn policy(text: &str) -> v1::Policy {
        v1::Policy {
            name: "detectors.yaml".into(),
            text: text.into(),
            revision: revision(text),
        }
    }

    fn ports(standing: &Standing) -> u32 {
        let policy = standing.policy.borrow();
        policy.settings.port_scan.thresholds.failed_ports_per_minute
    }

    const TEN_AND_ONE: &str = "detectors: {port_scan: {failed_ports_per_minute: 11}}";

    #[tokio::test]
    async fn what_is_told_replaces_the_agents_own_and_holds_over_a_restart() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::at(directory.path().join("policy.json"));
        let start = || InForce::start(Policy::default(), Some(kept.clone()), Metrics::default());
        let (mut in_force, standing) = start();
        assert_eq!(ports(&standing), 10);

        in_force.hear(policy(TEN_AND_ONE)).await;
        assert_eq!(ports(&standing), 11);
        assert_eq!(standing.status.borrow().revision, revision(TEN_AND_ONE));
        // The agent's own waits until nothing is told any more.
        in_force.follow(Policy::read("own", "silence: 1s", Time::Before, &[]));
        assert_eq!(ports(&standing), 11);

        let (mut in_force, standing) = start();
        assert_eq!(ports(&standing), 11, "after a restart");
        in_force.hear(v1::Policy::default()).await;
        assert_eq!(ports(&standing), 10);
        assert_eq!(*standing.status.borrow(), v1::PolicyStatus::default());
        assert_eq!(ports(&start().1), 10, "nothing is kept");
    }

    #[tokio::test]
    async fn what_this_agent_cannot_use_leaves_the_last_good_one_and_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let kept = Kept::at(directory.path().join("policy.json"));
        let metrics = Metrics::default();
        let (mut in_force, standing) =
            InForce::start(Policy::default(), Some(kept.clone()), metrics.clone());
        in_force.hear(policy(TEN_AND_ONE)).await;
        in_force
            .hear(policy("detectors:\n  of_tomorrow: {}\n"))
            .await;
        assert_eq!(ports(&standing), 11);
        let status = standing.status.borrow().clone();
        assert_eq!(status.revision, revision(TEN_AND_ONE));
        let expected = "detectors.yaml:2: detectors.of_tomorrow: there is no such detector";
        assert!(status.error.contains(expected), "{}", status.error);
        assert_eq!(metrics.success(), 0);
        assert_eq!(kept.read().unwrap().unwrap(), policy(TEN_AND_ONE));

        in_force.hear(policy(TEN_AND_ONE)).await;
        assert_eq!(standing.status.borrow().error, "", "it was taken back");
        assert_eq!(metrics.success(), 1);
    }

    #[tokio::test]
    async fn what_stands_refused_of_the_one_in_charge_is_told_until_it_is_mended() {
        let refused = || Policy::read("agent.yaml", "a: [", Time::Before, &[]).map(drop);
        let refused = || refused().map(|()| Policy::default());
        let metrics = Metrics::default();
        let (mut in_force, standing) = InForce::start(Policy::default(), None, metrics.clone());
        let check = |standing: &Standing, success, error: &str, when: &str| {
            assert_eq!(metrics.success(), success, "{when}");
            let said = standing.status.borrow().error.clone();
            assert!(said.contains(error), "{when}: {said}");
            assert_eq!(said.is_empty(), error.is_empty(), "{when}: {said}");
        };
        in_force.follow(refused());
        check(&standing, 0, "agent.yaml:1", "its own is refused");
        in_force.hear(policy(TEN_AND_ONE)).await;
        check(&standing, 1, "", "the collector's is in force");
        in_force.follow(refused());
        check(&standing, 1, "", "and its own does not count");
        in_force.hear(policy("of_tomorrow: 1")).await;
        check(&standing, 0, "of_tomorrow", "the collector's is refused");
        in_force.follow(Ok(Policy::default()));
        check(&standing, 0, "of_tomorrow", "and stands so");
        in_force.follow(refused());
        in_force.hear(v1::Policy::default()).await;
        check(&standing, 0, "agent.yaml:1", "its own counts again");
    }

    #[tokio::test]
    async fn a_file_that_is_damaged_is_no_policy() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("policy.json");
        let kept = Kept::at(path.clone());
        kept.write(Some(&policy(TEN_AND_ONE))).unwrap();
        let whole = std::fs::read_to_string(&path).unwrap();
        for text in ["", "{}", &whole[..9], &whole.replace("11", "99")] {
            std::fs::write(&path, text).unwrap();
            let error = kept.read().unwrap_err().to_string();
            assert!(error.contains("policy.json is damaged"), "{error}");
            let start = InForce::start(Policy::default(), Some(kept.clone()), Metrics::default());
            assert_eq!(ports(&start.1), 10);
        }
    }
}
