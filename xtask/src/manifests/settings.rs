//! Rule: the detectors' settings say what their author wrote: to helm, a word such as `off` is no word.

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::object::Object;

const DETECTORS: &str = "picket-detectors";
const FILE: &str = "/data/detectors.yaml";

pub(super) fn faults(objects: &[Object]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for object in objects.iter().filter(|it| it.name() == DETECTORS) {
        let settings: Value = serde_saphyr::from_str(object.text(FILE))
            .with_context(|| format!("{DETECTORS} holds no YAML"))?;
        modes(&settings, &mut faults);
        let own = object.text("/metadata/namespace");
        if !protects(&settings, own) {
            faults.push(format!(
                "{DETECTORS} does not protect Picket's own pods in {own}"
            ));
        }
    }
    Ok(faults)
}

/// Whether nobody may contain the collector, and whoever labels a pod elsewhere as it is labelled gains nothing.
fn protects(settings: &Value, namespace: &str) -> bool {
    let protected = settings.pointer("/containment/protected");
    let selectors = protected.and_then(Value::as_array).into_iter().flatten();
    let mut own = selectors.filter(|it| it["labels"]["app.kubernetes.io/part-of"] == "picket");
    own.any(|it| {
        let namespaces = it["namespaces"].as_array();
        namespaces.is_some_and(|all| all.iter().any(|one| one == namespace))
    })
}

fn modes(value: &Value, faults: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                if key == "mode" && !value.is_string() {
                    faults.push(format!(
                        "{DETECTORS} has the mode {value}, which is no word"
                    ));
                }
                modes(value, faults);
            }
        }
        Value::Array(items) => items.iter().for_each(|it| modes(it, faults)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifests::object::objects;

    const OWN: &str = "{namespaces: [picket], labels: {app.kubernetes.io/part-of: picket}}";

    fn found(settings: &str, protected: &str) -> Vec<String> {
        let map = format!(
            "metadata: {{name: {DETECTORS}, namespace: picket}}\ndata:\n  detectors.yaml: |\n    {settings}\n    \
             containment: {{protected: [{protected}]}}\n"
        );
        faults(&objects(&map).unwrap()).unwrap()
    }

    #[test]
    fn a_mode_that_is_no_word_is_found_wherever_it_is() {
        for (settings, expected) in [
            ("silence: 2s", 0),
            ("detectors: {dga: {mode: 'off'}}", 0),
            ("detectors: {dga: {mode: false}}", 1),
            ("scopes: [{detectors: {dga: {mode: true}}}]", 1),
        ] {
            let found = found(settings, OWN);
            assert_eq!(found.len(), expected, "{settings}: {found:?}");
        }
    }

    #[test]
    fn the_collector_is_protected_and_a_label_alone_protects_nobody() {
        let elsewhere = OWN.replace("[picket]", "[blue]");
        let anywhere = "{labels: {app.kubernetes.io/part-of: picket}}";
        for (protected, expected) in [(OWN, 0), ("", 1), (&elsewhere, 1), (anywhere, 1)] {
            let found = found("silence: 2s", protected);
            assert_eq!(found.len(), expected, "{protected}: {found:?}");
        }
    }
}
