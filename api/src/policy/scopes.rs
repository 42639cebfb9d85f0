//! `scopes`: pods that are judged by settings of their own.

use std::sync::Arc;

use detect::Settings;

use super::{detectors, scope::Scope, selectors, tree::Node, walk::Problems};
use crate::selector::Selector;

/// Of one document; what a node holds of them is bounded.
const MOST: usize = 256;

pub(super) fn read(settings: &Settings, node: &Node, problems: &mut Problems) -> Vec<Scope> {
    let entries = problems.list("scopes", node);
    if entries.len() > MOST {
        problems.add(
            node.line,
            format_args!("scopes: {MOST} are the most there may be"),
        );
    }
    let mut scopes: Vec<Scope> = Vec::new();
    for (index, entry) in entries.iter().enumerate().take(MOST) {
        let scope = scope(settings, index, entry, problems);
        let mut before = scopes.iter().enumerate();
        let overlapped = before.find(|(_, it)| it.selector.overlaps(&scope.selector));
        if let Some((other, before)) = overlapped {
            problems.add(
                entry.line,
                format_args!(
                    "scopes[{index}] ({}) and scopes[{other}] ({}) may select the same pod; tell them apart by \
                     namespaces, by service accounts, or by a label that both have",
                    scope.selector, before.selector
                ),
            );
        }
        scopes.push(scope);
    }
    scopes
}

fn scope(settings: &Settings, index: usize, entry: &Node, problems: &mut Problems) -> Scope {
    let path = format!("scopes[{index}]");
    let mut settings = settings.clone();
    let mut selector = Selector::default();
    for (key, value) in problems.map(&path, entry) {
        let name = format!("{path}.{}", key.text);
        match key.text.as_str() {
            "detectors" => detectors::set(&mut settings, &name, value, problems),
            text if selectors::KEYS.contains(&text) => {
                selectors::take(&mut selector, text, &name, value, problems);
            }
            _ => {
                let known = selectors::KEYS.into_iter().chain(["detectors"]);
                problems.unknown(&path, key, &known.collect::<Vec<_>>());
            }
        }
    }
    Scope {
        selector,
        settings: Arc::new(settings),
    }
}
