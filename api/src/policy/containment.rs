//! `containment`: what agents do about what they find.

use std::fmt;

use super::{detectors::duration, selectors, tree::Node, walk::Problems};
use crate::containment::{LONGEST_LEASE, SHORTEST_LEASE, Settings};

const KEYS: [&str; 7] = [
    "mode",
    "lease",
    "detectors",
    "max_share_percent",
    "max_per_namespace",
    "max_per_minute",
    "protected",
];

pub(super) fn read(node: &Node, problems: &mut Problems) -> Settings {
    let mut settings = Settings::default();
    let entries = problems.map("containment", node);
    for (key, value) in entries {
        let path = format!("containment.{}", key.text);
        match key.text.as_str() {
            "mode" => set(
                &mut settings.mode,
                problems.value(&path, value, |text| text.parse().map_err(told)),
            ),
            "lease" => set(
                &mut settings.lease,
                problems.value(&path, value, |text| {
                    duration(text, SHORTEST_LEASE, LONGEST_LEASE)
                }),
            ),
            "detectors" => settings.detectors = problems.texts(&path, value),
            "max_share_percent" => set(
                &mut settings.max_share_percent,
                problems.value(&path, value, number),
            ),
            "max_per_namespace" => set(
                &mut settings.max_per_namespace,
                problems.value(&path, value, number),
            ),
            "max_per_minute" => set(
                &mut settings.max_per_minute,
                problems.value(&path, value, number),
            ),
            "protected" => {
                let items = problems.list(&path, value).iter().enumerate();
                for (index, item) in items {
                    let path = format!("{path}[{index}]");
                    let selector = selectors::read(&path, item, problems);
                    settings.protected.push(selector);
                }
            }
            _ => problems.unknown("containment", key, &KEYS),
        }
    }
    settings.checked().unwrap_or_else(|error| {
        let key = entries.iter().find(|(key, _)| key.text == error.key());
        let line = key.map_or(node.line, |(_, value)| value.line);
        problems.add(line, format_args!("containment.{error}"));
        Settings::default()
    })
}

fn set<T>(place: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *place = value;
    }
}

/// Its key is told already.
fn told(error: impl fmt::Display) -> String {
    let text = error.to_string();
    let reason = text.split_once(": ").map(|(_, reason)| reason.to_owned());
    reason.unwrap_or(text)
}

fn number(text: &str) -> Result<u32, &'static str> {
    text.parse().map_err(|_| "it takes a whole number")
}
