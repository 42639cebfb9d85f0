//! The file that tells both daemons who the pods are.

use crate::pod::Pod;

/// The pod table file for `pods`, as both daemons read it.
#[must_use]
pub fn pod_table(pods: &[&Pod]) -> String {
    if pods.is_empty() {
        return "pods: []\n".to_owned();
    }
    let mut table = String::from("pods:\n");
    for pod in pods {
        let Pod {
            namespace,
            name,
            node,
            addresses,
            ..
        } = pod;
        let addresses: Vec<_> = addresses
            .iter()
            .map(|address| format!("'{address}'"))
            .collect();
        table += &format!(
            "- {{namespace: {namespace}, name: {name}, uid: uid-{name}, node: {node}, addresses: [{}]}}\n",
            addresses.join(", ")
        );
    }
    table
}
