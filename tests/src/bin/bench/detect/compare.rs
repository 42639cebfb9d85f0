//! What became better or worse since the last run.

use std::collections::BTreeMap;

use serde_json::Value;

/// Replays are by packet time, which does not depend on the machine: what changes by more has changed.
const SAME_S: f64 = 0.001;

/// A line for each capture of both runs that is judged otherwise or takes another time; and for those that
/// only one of them has, their number.
pub(super) fn changes(last: &Value, now: &Value) -> Vec<String> {
    let [before, after] = [last, now].map(by_file);
    let mut changes = Vec::new();
    for (file, now) in &after {
        let Some(last) = before.get(file) else {
            continue;
        };
        let judgements = [last, now].map(|it| it["judgement"].as_str().unwrap_or("?"));
        if judgements[0] != judgements[1] {
            changes.push(format!("{file}: {} -> {}", judgements[0], judgements[1]));
        }
        let latencies = [last, now].map(|it| it["latency_s"].as_f64());
        if let [Some(last), Some(now)] = latencies
            && (last - now).abs() > SAME_S
        {
            changes.push(format!("{file}: found after {now:.3} s, not {last:.3} s"));
        }
        let [before, after] = [last, now].map(|it| fired(it));
        if before != after {
            changes.push(format!("{file}: {before} -> {after}"));
        }
    }
    let only = |these: &BTreeMap<_, _>, those: &BTreeMap<_, _>| {
        these
            .keys()
            .filter(|file| !those.contains_key(*file))
            .count()
    };
    for (count, when) in [
        (only(&after, &before), "new"),
        (only(&before, &after), "gone"),
    ] {
        if count > 0 {
            changes.push(format!("{count} captures are {when}"));
        }
    }
    changes
}

fn by_file(run: &Value) -> BTreeMap<&str, &Value> {
    let files = run["files"].as_array().into_iter().flatten();
    files
        .filter_map(|file| Some((file["file"].as_str()?, file)))
        .collect()
}

/// Which detectors fired, and how bad it was.
fn fired(file: &Value) -> String {
    let fired = file["fired"].as_object().into_iter().flatten();
    let fired: Vec<_> = fired
        .map(|(detector, worst)| format!("{detector}:{}", worst.as_str().unwrap_or("?")))
        .collect();
    match fired.as_slice() {
        [] => "nothing".into(),
        fired => fired.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_of_judgement_time_and_detectors_are_told() {
        let file = |file: &str, judgement: &str, latency: Option<f64>, fired: Value| json!({"file": file, "judgement": judgement, "latency_s": latency, "fired": fired});
        let scan = json!({"port_scan": "high"});
        let last = json!({"files": [
            file("a", "ok", Some(1.0), scan.clone()),
            file("b", "ok", Some(1.0), scan.clone()),
            file("c", "ok", Some(1.0), scan.clone()),
            file("gone", "ok", None, json!({})),
        ]});
        let now = json!({"files": [
            file("a", "MISS", None, json!({})),
            file("b", "ok", Some(1.0005), scan.clone()),
            file("c", "ok", Some(1.5), scan),
        ]});
        assert_eq!(
            changes(&last, &now),
            [
                "a: ok -> MISS",
                "a: port_scan:high -> nothing",
                "c: found after 1.500 s, not 1.000 s",
                "1 captures are gone",
            ]
        );
        assert_eq!(changes(&now, &now), [""; 0]);
        assert_eq!(changes(&Value::Null, &Value::Null), [""; 0]);
    }
}
