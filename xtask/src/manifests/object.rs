//! Objects of Kubernetes, as far as the checks look at them.

use anyhow::{Context as _, Result};
use serde_json::Value;

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object(pub(super) Value);

/// The documents of `yaml` that are not empty.
pub(super) fn objects(yaml: &str) -> Result<Vec<Object>> {
    let documents: Vec<Value> = serde_saphyr::from_multiple(yaml).context("it is no valid YAML")?;
    Ok(documents
        .into_iter()
        .filter(|it| !it.is_null())
        .map(Object)
        .collect())
}

impl Object {
    pub(super) fn kind(&self) -> &str {
        self.text("/kind")
    }

    pub(super) fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    pub(super) fn namespace(&self) -> &str {
        self.text("/metadata/namespace")
    }

    /// For messages and order.
    pub(super) fn id(&self) -> String {
        format!("{} {}/{}", self.kind(), self.namespace(), self.name())
    }

    /// The text at a JSON pointer; empty where there is none.
    pub(super) fn text(&self, pointer: &str) -> &str {
        self.0
            .pointer(pointer)
            .and_then(Value::as_str)
            .unwrap_or("")
    }

    /// The list at a JSON pointer; empty where there is none.
    pub(super) fn list(&self, pointer: &str) -> &[Value] {
        let list = self.0.pointer(pointer).and_then(Value::as_array);
        list.map_or(&[], Vec::as_slice)
    }

    /// The specification of its pods, when it makes some.
    pub(super) fn pod(&self) -> Option<Self> {
        let pointer = match self.kind() {
            "Pod" => "/spec",
            "DaemonSet" | "Deployment" | "Job" | "StatefulSet" => "/spec/template/spec",
            _ => return None,
        };
        self.0.pointer(pointer).cloned().map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_one_by_one() {
        let yaml = "---\n# nothing\n---\nkind: Pod\napiVersion: apps/v1\nmetadata: {name: a}\n\
                    ---\nkind: Namespace\napiVersion: v1\nmetadata: {name: b}\n";
        let all = objects(yaml).unwrap();
        let ids: Vec<_> = all.iter().map(Object::id).collect();
        assert_eq!(ids, ["Pod /a", "Namespace /b"]);
        assert!(objects("a: [").is_err());
    }
}
