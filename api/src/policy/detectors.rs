//! `silence` and `detectors`: how what pods do is judged.

use std::time::Duration;

use detect::{Limit, Outcomes, Quantity, Settings, Thresholds as _};

use super::{tree::Node, walk::Problems};

/// Takes in `silence`.
pub(super) fn silence(settings: &mut Settings, node: &Node, problems: &mut Problems) {
    for limit in Outcomes::limits() {
        if let Some(value) = problems.value("silence", node, |text| quantity(text, &limit)) {
            let set = settings.outcomes.set(limit.key, value);
            note("silence", node, set, problems);
        }
    }
}

/// Takes in what `path` says of each detector.
pub(super) fn set(settings: &mut Settings, path: &str, node: &Node, problems: &mut Problems) {
    for (detector, keys) in problems.map(path, node) {
        let limits = match Settings::limits(&detector.text) {
            Ok(limits) => limits,
            Err(error) => {
                problems.add(
                    detector.line,
                    format_args!("{path}.{}: {error}", detector.text),
                );
                continue;
            }
        };
        let path = format!("{path}.{}", detector.text);
        for (key, value) in problems.map(&path, keys) {
            let name = format!("{path}.{}", key.text);
            if key.text == "mode" {
                if let Some(mode) = problems.value(&name, value, str::parse)
                    && let Ok(of_detector) = settings.mode(&detector.text)
                {
                    *of_detector = mode;
                }
                continue;
            }
            let Some(limit) = limits.iter().find(|limit| limit.key == key.text) else {
                let known = ["mode"].into_iter();
                let known: Vec<_> = known.chain(limits.iter().map(|it| it.key)).collect();
                problems.unknown(&path, key, &known);
                continue;
            };
            if let Some(quantity) = problems.value(&name, value, |text| quantity(text, limit)) {
                let set = settings.set(&detector.text, limit.key, quantity);
                note(&name, value, set, problems);
            }
        }
    }
}

fn note(path: &str, node: &Node, set: Result<(), detect::LimitError>, problems: &mut Problems) {
    if let Err(error) = set {
        problems.add(node.line, format_args!("{path}: {error}"));
    }
}

/// Of the same kind as the bounds, and within them.
fn quantity(text: &str, limit: &Limit) -> Result<Quantity, String> {
    match (limit.least, limit.most) {
        (Quantity::Duration(least), Quantity::Duration(most)) => {
            duration(text, least, most).map(Quantity::Duration)
        }
        (least, most) => {
            let number = text.parse().ok().map(Quantity::Count);
            number
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| format!("it takes a whole number from {least} to {most}"))
        }
    }
}

pub(super) fn duration(text: &str, least: Duration, most: Duration) -> Result<Duration, String> {
    let duration = humantime::parse_duration(text).ok();
    duration
        .filter(|duration| (least..=most).contains(duration))
        .ok_or_else(|| {
            format!(
                "it takes a duration with its unit, from {} to {}",
                humantime::format_duration(least),
                humantime::format_duration(most)
            )
        })
}
