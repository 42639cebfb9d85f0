//! Which pods are judged by which settings, what nobody is to be told of, and what is done: read from a document
//! that says where it is wrong.

mod containment;
mod detectors;
mod edit;
mod exception;
mod exceptions;
mod manifest;
mod nodes;
mod refused;
mod scope;
mod scopes;
mod selectors;
mod time;
mod tree;
mod walk;

use std::{fmt::Write as _, sync::Arc, time::SystemTime};

use detect::Settings;
use ring::digest::{SHA256, digest};

pub use self::{
    edit::{Change, NewException, NotEdited, edit},
    exception::Exception,
    manifest::validate,
    refused::{Problem, Refused},
    scope::Scope,
    time::Time,
};
use self::{tree::Value, walk::Problems};
use crate::{containment as contain, v1};

/// The keys of a policy.
pub const KEYS: &[&str] = &[
    "silence",
    "detectors",
    "nodes",
    "scopes",
    "exceptions",
    "containment",
];

/// The other keys of an agent's configuration file, which may hold a policy too.
pub const AGENT_KEYS: &[&str] = &[
    "node",
    "collector",
    "spool",
    "spool_bytes",
    "listen",
    "tls_cert",
    "tls_key",
    "tls_ca",
    "token",
    "operator_ca",
    "operator_crl",
    "insecure",
    "metrics",
    "pod_table",
    "identity",
    "baselines",
    "policy",
    "interfaces",
    "uplinks",
    "slots",
    "tick",
    "sample_rate",
    "attach",
    "pin",
    "canary",
    "kernel_log",
    "log",
    "log_format",
];

/// Bytes of a document; etcd takes few more of a ConfigMap.
pub const LARGEST: usize = 1 << 20;

/// How all pods, and the nodes, are judged.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Of pods that no scope selects.
    pub settings: Arc<Settings>,
    /// Of the nodes themselves.
    pub nodes: Arc<Settings>,
    /// No pod is selected by two of them.
    pub scopes: Vec<Scope>,
    /// What nobody is to be told of.
    pub exceptions: Vec<Exception>,
    /// What is done about what is found.
    pub containment: contain::Settings,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            settings: Arc::default(),
            nodes: nodes::defaults().into(),
            scopes: Vec::new(),
            exceptions: Vec::new(),
            containment: contain::Settings::default(),
        }
    }
}

impl Policy {
    /// Reads a document. `others` are keys that are none of a policy's, and are left to who knows them.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line.
    pub fn read(name: &str, text: &str, time: Time, others: &[&str]) -> Result<Self, Refused> {
        let mut problems = Problems::default();
        let policy = read(text, time, others, &mut problems);
        let problems = problems.in_order();
        if problems.is_empty() {
            return Ok(policy);
        }
        Err(Refused {
            name: name.to_owned(),
            problems,
        })
    }

    /// What a pod is judged by; nobody knows which pod it is when there is none.
    #[must_use]
    pub fn settings(&self, pod: Option<&v1::Pod>) -> &Arc<Settings> {
        let scope = pod.and_then(|pod| {
            let mut scopes = self.scopes.iter();
            scopes.find(|scope| scope.selector.selects(pod))
        });
        scope.map_or(&self.settings, |scope| &scope.settings)
    }

    /// Why nobody is to be told of an event of this pod, if that is so.
    #[must_use]
    pub fn exception(
        &self,
        event: &v1::Event,
        pod: Option<&v1::Pod>,
        now: SystemTime,
    ) -> Option<&Exception> {
        let mut exceptions = self.exceptions.iter();
        exceptions.find(|exception| exception.covers(event, pod, now))
    }
}

/// Tells one text of a policy from another.
#[must_use]
pub fn revision(text: &str) -> String {
    let mut revision = String::new();
    for byte in digest(&SHA256, text.as_bytes()).as_ref() {
        // Into a string, which takes all.
        write!(revision, "{byte:02x}").ok();
    }
    revision
}

fn read(text: &str, time: Time, others: &[&str], problems: &mut Problems) -> Policy {
    let mut policy = Policy::default();
    if text.len() > LARGEST {
        problems.add(0, format_args!("it has more than {LARGEST} bytes"));
        return policy;
    }
    let documents = match tree::documents(text) {
        Ok(documents) => documents,
        Err(problem) => {
            problems.add(problem.line, problem.reason);
            return policy;
        }
    };
    let mut documents = documents.iter();
    let Some(document) = documents.find(|it| !matches!(it.value, Value::Nothing)) else {
        return policy;
    };
    if let Some(second) = documents.next() {
        problems.add(second.line, "a second document begins; write one");
    }
    let entries = problems.map("a policy", document);
    let named = |name: &str| entries.iter().find(|(key, _)| key.text == name);
    let mut settings = Settings::default();
    if let Some((_, node)) = named("silence") {
        detectors::silence(&mut settings, node, problems);
    }
    if let Some((_, node)) = named("detectors") {
        detectors::set(&mut settings, "detectors", node, problems);
    }
    let mut of_nodes = nodes::defaults();
    of_nodes.outcomes.clone_from(&settings.outcomes);
    if let Some((_, node)) = named("nodes") {
        nodes::read(&mut of_nodes, node, problems);
    }
    policy.nodes = Arc::new(of_nodes);
    if let Some((_, node)) = named("scopes") {
        policy.scopes = scopes::read(&settings, node, problems);
    }
    if let Some((_, node)) = named("exceptions") {
        policy.exceptions = exceptions::read(time, node, problems);
    }
    if let Some((_, node)) = named("containment") {
        policy.containment = containment::read(node, problems);
    }
    for (key, _) in entries {
        let name = key.text.as_str();
        if !KEYS.contains(&name) && !others.contains(&name) {
            let known: Vec<_> = KEYS.iter().chain(others).copied().collect();
            problems.unknown("", key, &known);
        }
    }
    policy.settings = Arc::new(settings);
    policy
}

#[cfg(test)]
mod tests;
