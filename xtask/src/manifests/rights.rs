//! Rule: the agents have no rights on the API server, and the collector reads; it changes one ConfigMap, and no more.

use serde_json::Value;

use super::object::Object;

const COLLECTOR: &str = "picket-collector";
const READ: [&str; 3] = ["get", "list", "watch"];
/// All that it may create: a question.
const QUESTION: &str = "tokenreviews";

pub(super) fn faults(objects: &[Object]) -> Vec<String> {
    let mut faults = Vec::new();
    for object in objects {
        let mut fault = |what: String| faults.push(format!("{}: {what}", object.id()));
        match object.kind() {
            "RoleBinding" | "ClusterRoleBinding" => {
                for subject in object.list("/subjects") {
                    if subject["name"] != COLLECTOR || subject["kind"] != "ServiceAccount" {
                        fault(format!("gives rights to {subject}"));
                    }
                }
                if object.text("/roleRef/name") != COLLECTOR {
                    fault("binds a role of others".into());
                }
            }
            "Role" | "ClusterRole" => {
                for rule in object.list("/rules") {
                    rights(rule, &mut fault);
                }
            }
            "ServiceAccount" if object.0["automountServiceAccountToken"] != Value::Bool(false) => {
                fault("its token is mounted by default".into());
            }
            _ => {}
        }
    }
    faults
}

/// Where the page sets the detectors.
fn is_detectors(rule: &Object) -> bool {
    let is = |path: &str, words: &[&str]| rule.list(path) == words;
    is("/resources", &["configmaps"])
        && is("/resourceNames", &["picket-detectors"])
        && is("/verbs", &["get", "patch"])
}

fn rights(rule: &Value, fault: &mut dyn FnMut(String)) {
    let rule = Object(rule.clone());
    if is_detectors(&rule) {
        return;
    }
    for verb in rule.list("/verbs").iter().filter_map(Value::as_str) {
        let asks = verb == "create" && rule.list("/resources") == [Value::from(QUESTION)];
        if !READ.contains(&verb) && !asks {
            fault(format!("may {verb} {:?}", rule.list("/resources")));
        }
    }
    let words = ["/apiGroups", "/resources"].into_iter();
    let mut words = words.flat_map(|it| rule.list(it)).filter_map(Value::as_str);
    if let Some(word) = words.find(|it| ["*", "secrets", "configmaps"].contains(it)) {
        fault(format!("may read {word}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::object::objects;

    #[test]
    fn whoever_gets_rights_that_he_needs_not_is_named() {
        let binding = "kind: ClusterRoleBinding\nroleRef: {name: picket-collector}\n\
                       subjects: [{kind: ServiceAccount, name: picket-collector}]\n";
        let role = "kind: ClusterRole\nrules: [{apiGroups: [''], resources: [pods], verbs: [get, list]},\
                    {apiGroups: [x], resources: [tokenreviews], verbs: [create]}]\n";
        let own = "kind: Role\nrules: [{apiGroups: [''], resources: [configmaps], \
                   resourceNames: [picket-detectors], verbs: [get, patch]}]\n";
        let account = "kind: ServiceAccount\nautomountServiceAccountToken: false\n";
        for (text, from, to, expected) in [
            (binding, "", "", None),
            (role, "", "", None),
            (account, "", "", None),
            (own, "", "", None),
            (own, "patch", "update", Some("may update")),
            (own, "[picket-detectors]", "[others]", Some("may patch")),
            (
                binding,
                "name: picket-collector}]",
                "name: picket-agent}]",
                Some("picket-agent"),
            ),
            (
                binding,
                "{name: picket-collector}",
                "{name: cluster-admin}",
                Some("of others"),
            ),
            (role, "get, list", "get, delete", Some("may delete")),
            (role, "[tokenreviews]", "[pods]", Some("may create")),
            (role, "[pods]", "[secrets]", Some("secrets")),
            (role, "['']", "['*']", Some("*")),
            (
                account,
                "automountServiceAccountToken: false",
                "",
                Some("by default"),
            ),
        ] {
            let found = faults(&objects(&text.replacen(from, to, 1)).unwrap());
            match expected {
                None => assert_eq!(found, Vec::<String>::new()),
                Some(part) => assert!(found.concat().contains(part), "{to}: {found:?}"),
            }
        }
    }
}
