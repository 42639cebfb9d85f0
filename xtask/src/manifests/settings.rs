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
    }
    Ok(faults)
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

    #[test]
    fn a_mode_that_is_no_word_is_found_wherever_it_is() {
        for (settings, expected) in [
            ("{}", 0),
            ("detectors: {dga: {mode: 'off'}}", 0),
            ("detectors: {dga: {mode: false}}", 1),
            ("scopes: [{detectors: {dga: {mode: true}}}]", 1),
        ] {
            let map = format!(
                "metadata: {{name: {DETECTORS}}}\ndata:\n  detectors.yaml: |\n    {settings}\n"
            );
            let found = faults(&objects(&map).unwrap()).unwrap();
            assert_eq!(found.len(), expected, "{settings}: {found:?}");
        }
    }
}
