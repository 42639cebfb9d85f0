//! Anomalies for people.

use std::time::SystemTime;

use api::v1;

use crate::{
    facts,
    form::Form,
    names,
    palette::{HIGH, LOW, MEDIUM, Palette},
    table::{dash, table},
    time,
};

pub(super) fn lines(
    listed: &v1::ListAnomaliesResponse,
    form: Form,
    now: SystemTime,
) -> Vec<String> {
    if listed.anomalies.is_empty() {
        return vec!["No anomaly matches.".to_owned()];
    }
    let palette = Palette::of_stdout();
    let rows: Vec<_> = listed.anomalies.iter().map(|it| row(it, now)).collect();
    let mut lines = if form == Form::Wide {
        let heading = [
            "SEVERITY", "STATE", "TRIAGE", "ASSIGNEE", "UPDATED", "EVENTS", "DETECTOR", "POD",
            "NODE", "WORKLOAD", "UID", "PORTS", "COVERAGE", "ID", "SUMMARY",
        ];
        table(heading, &rows, palette)
    } else {
        let rows = rows.into_iter().map(|row| {
            let [
                severity,
                state,
                triage,
                _,
                updated,
                _,
                detector,
                pod,
                _,
                _,
                _,
                _,
                _,
                id,
                _,
            ] = row;
            [severity, state, triage, updated, detector, pod, id]
        });
        let heading = [
            "SEVERITY", "STATE", "TRIAGE", "UPDATED", "DETECTOR", "POD", "ID",
        ];
        table(heading, &rows.collect::<Vec<_>>(), palette)
    };
    let shown = listed.anomalies.len();
    let matching = usize::try_from(listed.matching).unwrap_or(usize::MAX);
    if matching > shown {
        lines.push(format!("{shown} of {matching}; --first shows more"));
    }
    lines
}

/// One that something new was told of, as it is now.
pub(super) fn line(anomaly: &v1::Anomaly, form: Form, palette: Palette) -> String {
    let none = v1::Event::default();
    let last = anomaly.last.as_ref().unwrap_or(&none);
    let colour = match last.severity() {
        v1::Severity::High => HIGH,
        v1::Severity::Medium => MEDIUM,
        _ => LOW,
    };
    let mut facts = vec![anomaly.id.clone()];
    if form == Form::Wide {
        let told = facts::of(last).into_iter();
        facts = told
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
    }
    let state = api::names::anomaly_state(anomaly.state());
    let triage = api::names::triage_state(anomaly.triage());
    format!(
        "{}  {}  {state:6}  {triage:12}  {}  {}",
        time::short(anomaly.updated_at),
        palette.paint(colour, &format!("{:6}", names::severity(last.severity()))),
        palette.paint(clap::builder::styling::Style::new(), &facts.join(" ")),
        palette.paint(clap::builder::styling::Style::new(), &last.summary),
    )
}

fn row(anomaly: &v1::Anomaly, now: SystemTime) -> [String; 15] {
    let none = v1::Event::default();
    let last = anomaly.last.as_ref().unwrap_or(&none);
    let subject = api::filter::subject(last);
    let named = subject.and_then(|it| names::pod(&it.namespace, &it.pod));
    let addressed = || subject.map(|it| it.address.clone());
    [
        names::severity(last.severity()),
        api::names::anomaly_state(anomaly.state()),
        api::names::triage_state(anomaly.triage()),
        dash(anomaly.assignee.clone()),
        time::ago(anomaly.updated_at, now),
        anomaly.events.to_string(),
        last.detector.clone(),
        dash(named.or_else(addressed).unwrap_or_default()),
        dash(
            last.id
                .as_ref()
                .map_or_else(String::new, |it| it.node.clone()),
        ),
        dash(subject.map(facts::workload).unwrap_or_default()),
        dash(subject.map(|it| it.uid.clone()).unwrap_or_default()),
        dash(facts::ports(last, |it| it.distinct)),
        dash(facts::coverage(last)),
        anomaly.id.clone(),
        last.summary.clone(),
    ]
}
