//! `picket anomalies`: all events of an anomaly together, the most urgent first.

use std::time::SystemTime;

use api::{
    json,
    v1::{self, AnomalyFilter, AnomalyState, ListAnomaliesRequest, TriageState},
};
use clap::{Args, ValueEnum};

use crate::{
    form::{AnswerError, Form},
    names,
    output::Output,
    palette::Palette,
    server::Server,
    severity::Severity,
    table::table,
    time::{self, Since},
};

#[derive(Args, Debug)]
pub(crate) struct AnomaliesArguments {
    /// Only anomalies of this namespace; may be repeated.
    #[arg(long, short, value_name = "NAME")]
    namespace: Vec<String>,

    /// Only anomalies of this pod; may be repeated.
    #[arg(long, value_name = "NAME")]
    pod: Vec<String>,

    /// Only anomalies of this node; may be repeated.
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,

    /// Only anomalies of this detector, such as port_scan; may be repeated.
    #[arg(long, value_name = "NAME")]
    detector: Vec<String>,

    /// Only anomalies of this severity; may be repeated.
    #[arg(long, value_name = "SEVERITY")]
    severity: Vec<Severity>,

    /// Only anomalies that are open, or closed.
    #[arg(long, value_name = "STATE")]
    state: Vec<State>,

    /// Only anomalies of which people made this; may be repeated.
    #[arg(long, value_name = "STATE")]
    triage: Vec<Triage>,

    /// Only anomalies that are this person's; may be repeated.
    #[arg(long, value_name = "NAME")]
    assignee: Vec<String>,

    /// Only anomalies with this in their sentence, names or addresses.
    #[arg(long, value_name = "TEXT")]
    text: Option<String>,

    /// Only anomalies that were told of since: a duration such as 1h, or a time.
    #[arg(long, value_name = "TIME")]
    since: Option<Since>,

    /// Those of detectors that are tried out, too.
    #[arg(long)]
    shadow: bool,

    /// Print this many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,

    /// Print in this form.
    #[arg(long, short, value_name = "FORM", default_value = "compact")]
    output: Form,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    Open,
    Closed,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Triage {
    New,
    Acknowledged,
    Resolved,
}

pub(crate) async fn run(
    server: &Server,
    arguments: AnomaliesArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), AnswerError> {
    let form = arguments.output;
    let page_size = arguments.limit;
    let request = ListAnomaliesRequest {
        filter: Some(filter(arguments, now)),
        offset: 0,
        page_size,
    };
    let listed = server.anomalies(request).await?;
    form.print(output, &json::Anomalies::new(&listed), || {
        lines(&listed, form, now)
    })
}

fn filter(arguments: AnomaliesArguments, now: SystemTime) -> AnomalyFilter {
    let severity = |it: Severity| v1::Severity::from(it).into();
    let state = |it| match it {
        State::Open => AnomalyState::Open.into(),
        State::Closed => AnomalyState::Closed.into(),
    };
    let triage = |it| match it {
        Triage::New => TriageState::New.into(),
        Triage::Acknowledged => TriageState::Acknowledged.into(),
        Triage::Resolved => TriageState::Resolved.into(),
    };
    AnomalyFilter {
        namespaces: arguments.namespace,
        pods: arguments.pod,
        nodes: arguments.node,
        detectors: arguments.detector,
        severities: arguments.severity.into_iter().map(severity).collect(),
        states: arguments.state.into_iter().map(state).collect(),
        triage: arguments.triage.into_iter().map(triage).collect(),
        assignees: arguments.assignee,
        text: arguments.text.unwrap_or_default(),
        since: arguments.since.map(|since| since.before(now).into()),
        until: None,
        include_shadow: arguments.shadow,
        exclude_correlated: false,
    }
}

fn lines(listed: &v1::ListAnomaliesResponse, form: Form, now: SystemTime) -> Vec<String> {
    if listed.anomalies.is_empty() {
        return vec!["No anomaly matches.".to_owned()];
    }
    let palette = Palette::of_stdout();
    let rows: Vec<_> = listed.anomalies.iter().map(|it| row(it, now)).collect();
    let mut lines = if form == Form::Wide {
        let heading = [
            "SEVERITY", "STATE", "TRIAGE", "ASSIGNEE", "UPDATED", "EVENTS", "DETECTOR", "POD",
            "ID", "SUMMARY",
        ];
        table(heading, &rows, palette)
    } else {
        let rows = rows.into_iter().map(|row| {
            let [severity, state, triage, _, updated, _, detector, pod, id, _] = row;
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
        lines.push(format!("{shown} of {matching}; --limit shows more"));
    }
    lines
}

fn row(anomaly: &v1::Anomaly, now: SystemTime) -> [String; 10] {
    let none = v1::Event::default();
    let last = anomaly.last.as_ref().unwrap_or(&none);
    let subject = api::filter::subject(last);
    let named = subject.and_then(|it| names::pod(&it.namespace, &it.pod));
    let addressed = || subject.map(|it| it.address.clone());
    let dash = |text: String| {
        if text.is_empty() {
            "-".to_owned()
        } else {
            text
        }
    };
    [
        names::severity(last.severity()),
        api::names::anomaly_state(anomaly.state()),
        api::names::triage_state(anomaly.triage()),
        dash(anomaly.assignee.clone()),
        time::ago(anomaly.updated_at, now),
        anomaly.events.to_string(),
        last.detector.clone(),
        dash(named.or_else(addressed).unwrap_or_default()),
        anomaly.id.clone(),
        last.summary.clone(),
    ]
}
