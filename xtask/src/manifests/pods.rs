//! Rule: no pod may more than it must, and says what it takes.

use serde_json::Value;

use super::object::Object;

/// The one that may more than Pod Security's level restricted allows.
const AGENT: &str = "picket-agent";
const CAPABILITIES: [&str; 3] = ["BPF", "NET_ADMIN", "PERFMON"];
/// The one that asks the API server.
const COLLECTOR: &str = "picket-collector";
/// What a restricted pod may mount.
const VOLUMES: [&str; 8] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

pub(super) fn faults(objects: &[Object]) -> Vec<String> {
    let mut faults = Vec::new();
    for object in objects {
        let Some(pod) = object.pod() else { continue };
        let mut fault = |what: &str| faults.push(format!("{}: {what}", object.id()));
        let is_agent = object.name() == AGENT;
        for key in ["hostPID", "hostIPC"] {
            if pod.0.get(key).is_some() {
                fault(key);
            }
        }
        if pod.text("/securityContext/seccompProfile/type") != "RuntimeDefault" {
            fault("its seccomp profile is not RuntimeDefault");
        }
        let mounts_token = pod.0.get("automountServiceAccountToken") != Some(&Value::Bool(false));
        if mounts_token != (object.name() == COLLECTOR) {
            fault("who asks the API server mounts a token, and nobody else");
        }
        if !is_agent {
            restricted(&pod, &mut fault);
        }
        let containers = pod.list("/containers").iter();
        for container in containers.chain(pod.list("/initContainers")) {
            let container = Object(container.clone());
            let name = container.text("/name").to_owned();
            self::container(&container, is_agent, &mut |what: &str| {
                fault(&format!("container {name}: {what}"));
            });
        }
    }
    faults
}

/// What the level asks of a pod beside its containers.
fn restricted(pod: &Object, fault: &mut dyn FnMut(&str)) {
    if pod.0.pointer("/securityContext/runAsNonRoot") != Some(&Value::Bool(true)) {
        fault("it may run as root");
    }
    if pod.0.pointer("/securityContext/runAsUser") == Some(&Value::from(0)) {
        fault("it runs as root");
    }
    if pod.0.get("hostNetwork").is_some() {
        fault("hostNetwork");
    }
    for volume in pod.list("/volumes") {
        let kinds = volume.as_object().into_iter().flatten();
        for (kind, _) in kinds.filter(|(key, _)| *key != "name") {
            if !VOLUMES.contains(&kind.as_str()) {
                fault(&format!("a volume of kind {kind}"));
            }
        }
    }
}

fn container(container: &Object, is_agent: bool, fault: &mut dyn FnMut(&str)) {
    let flag = |key: &str| container.0.pointer(&format!("/securityContext/{key}"));
    if flag("privileged").is_some() {
        fault("privileged");
    }
    if flag("allowPrivilegeEscalation") != Some(&Value::Bool(false)) {
        fault("it may gain privileges");
    }
    if flag("readOnlyRootFilesystem") != Some(&Value::Bool(true)) {
        fault("its root can be written to");
    }
    if container.list("/securityContext/capabilities/drop") != [Value::from("ALL")] {
        fault("it does not drop all capabilities");
    }
    let added = container.list("/securityContext/capabilities/add").iter();
    let mut added: Vec<_> = added.filter_map(Value::as_str).collect();
    added.sort_unstable();
    let wanted: &[&str] = if is_agent { &CAPABILITIES } else { &[] };
    if added != wanted {
        fault(&format!("it adds the capabilities {added:?}"));
    }
    for resource in ["requests/cpu", "requests/memory", "limits/memory"] {
        if container.text(&format!("/resources/{resource}")).is_empty() {
            fault(&format!("it has no {resource}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::object::objects;

    const GOOD: &str = "
kind: Deployment
metadata: {name: picket-test, namespace: picket}
spec:
  template:
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: one
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
          resources: {requests: {cpu: 1m, memory: 1Mi}, limits: {memory: 1Mi}}
      volumes: [{name: a, secret: {secretName: a}}]
";

    fn check(from: &str, to: &str) -> Vec<String> {
        assert!(GOOD.contains(from), "{from}");
        faults(&objects(&GOOD.replacen(from, to, 1)).unwrap())
    }

    #[test]
    fn a_restricted_pod_has_no_fault() {
        assert_eq!(check("", ""), Vec::<String>::new());
    }

    #[test]
    fn each_right_too_many_is_one() {
        for (from, to, expected) in [
            ("runAsNonRoot: true, ", "", "as root"),
            (
                "runAsNonRoot: true",
                "runAsNonRoot: true, runAsUser: 0",
                "runs as root",
            ),
            ("RuntimeDefault", "Unconfined", "seccomp"),
            (
                "automountServiceAccountToken: false",
                "hostPID: false",
                "hostPID",
            ),
            (
                "automountServiceAccountToken: false",
                "automountServiceAccountToken: true",
                "token",
            ),
            ("Escalation: false", "Escalation: true", "gain"),
            ("Filesystem: true", "Filesystem: false", "written"),
            ("drop: [ALL]", "drop: [NET_RAW]", "drop all"),
            ("drop: [ALL]", "drop: [ALL], add: [BPF]", "adds"),
            ("secret: {secretName: a}", "hostPath: {path: /}", "hostPath"),
            (", limits: {memory: 1Mi}", "", "limits/memory"),
            ("name: one", "name: one\n          securityContext2: {}", ""),
            ("picket-test", AGENT, "adds the capabilities []"),
        ] {
            let found = check(from, to);
            if expected.is_empty() {
                assert_eq!(found, Vec::<String>::new());
            } else {
                assert!(
                    found.iter().any(|it| it.contains(expected)),
                    "{to}: {found:?}"
                );
            }
        }
    }
}
