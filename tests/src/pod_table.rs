//! The file that tells both daemons who the pods are.

use serde_json::json;

use crate::pod::Pod;

/// The pod table file for `pods`, as both daemons read it; YAML is a superset of JSON, which can hold any name.
#[must_use]
pub fn pod_table(pods: &[&Pod]) -> String {
    let mut table = String::from("pods:");
    if pods.is_empty() {
        table += " []";
    }
    for pod in pods {
        let Pod {
            namespace,
            name,
            uid,
            labels,
            node,
            addresses,
            ..
        } = pod;
        let entry = json!({
            "namespace": namespace, "name": name, "uid": uid, "labels": labels, "node": node, "addresses": addresses,
        });
        table += &format!("\n- {entry}");
    }
    table + "\n"
}
