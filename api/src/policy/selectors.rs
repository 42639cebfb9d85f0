//! The keys that select pods, wherever they stand.

use super::{tree::Node, walk::Problems};
use crate::selector::Selector;

/// The keys of a selector.
pub(super) const KEYS: [&str; 3] = ["namespaces", "labels", "service_accounts"];

/// Takes in one of those keys.
pub(super) fn take(
    selector: &mut Selector,
    key: &str,
    path: &str,
    node: &Node,
    problems: &mut Problems,
) {
    match key {
        "namespaces" => selector.namespaces = problems.texts(path, node),
        "service_accounts" => selector.service_accounts = problems.texts(path, node),
        _ => {
            for (label, value) in problems.map(path, node) {
                let name = format!("{path}.{}", label.text);
                if let Some(text) = problems.text(&name, value) {
                    selector.labels.insert(label.text.clone(), text.to_owned());
                }
            }
        }
    }
}

/// A selector that stands alone.
pub(super) fn read(path: &str, node: &Node, problems: &mut Problems) -> Selector {
    let mut selector = Selector::default();
    for (key, value) in problems.map(path, node) {
        if KEYS.contains(&key.text.as_str()) {
            let path = format!("{path}.{}", key.text);
            take(&mut selector, &key.text, &path, value, problems);
        } else {
            problems.unknown(path, key, &KEYS);
        }
    }
    selector
}
