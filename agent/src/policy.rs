//! Which pods are judged by which settings, and what nobody is to be told of.

mod exception;
mod hushed;

use std::{sync::Arc, time::SystemTime};

pub use api::selector::Selector;
use api::v1;
use detect::Settings;

pub use self::{exception::Exception, hushed::Hushed};

/// How all pods of the node are judged.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// Of pods that no scope selects.
    pub settings: Arc<Settings>,
    /// No pod is selected by two of them.
    pub scopes: Vec<Scope>,
    /// What nobody is to be told of.
    pub exceptions: Vec<Exception>,
    /// What is done about what is found.
    pub containment: api::containment::Settings,
}

/// Pods that are judged by settings of their own.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Which pods.
    pub selector: Selector,
    /// By which settings.
    pub settings: Arc<Settings>,
}

impl Policy {
    /// What a pod is judged by; nobody knows which pod it is when there is none.
    #[must_use]
    pub fn settings(&self, pod: Option<&v1::Pod>) -> &Arc<Settings> {
        let scope = pod.and_then(|pod| {
            let mut scopes = self.scopes.iter();
            scopes.find(|scope| scope.selector.selects(pod))
        });
        scope.map_or(&self.settings, |scope| &scope.settings)
    }

    /// Whether nobody is to be told of an event of this pod.
    #[must_use]
    pub fn excepts(&self, event: &v1::Event, pod: Option<&v1::Pod>, now: SystemTime) -> bool {
        let mut exceptions = self.exceptions.iter();
        exceptions.any(|exception| exception.covers(event, pod, now))
    }
}

#[cfg(test)]
mod tests {
    use detect::Mode;

    use super::*;

    #[test]
    fn a_pod_is_judged_by_its_scope() {
        let mut shadow = Settings::default();
        shadow.port_scan.mode = Mode::Shadow;
        let policy = Policy {
            scopes: vec![Scope {
                selector: Selector {
                    namespaces: vec!["monitoring".into()],
                    ..Selector::default()
                },
                settings: Arc::new(shadow),
            }],
            ..Policy::default()
        };
        let pod = |namespace: &str| v1::Pod {
            namespace: namespace.into(),
            ..v1::Pod::default()
        };
        for (pod, mode) in [
            (Some(pod("monitoring")), Mode::Shadow),
            (Some(pod("default")), Mode::On),
            (None, Mode::On),
        ] {
            let settings = policy.settings(pod.as_ref());
            assert_eq!(settings.port_scan.mode, mode, "{pod:?}");
        }
    }
}
