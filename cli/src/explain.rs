//! `picket explain`: everything that was told of one anomaly.

use api::{json, port_sets, v1};
use clap::Args;

use crate::{
    facts,
    form::{AnswerError, Form, FormArguments},
    names,
    output::Output,
    palette::{BOLD, Palette, harmless},
    server::Server,
    time,
};

/// Runs of ports that are told.
const RUNS: usize = 40;

#[derive(Args, Debug)]
pub(crate) struct ExplainArguments {
    /// Which anomaly, as `picket anomalies` names it.
    id: String,

    #[command(flatten)]
    form: FormArguments,
}

pub(crate) async fn run(
    server: &Server,
    arguments: ExplainArguments,
    output: &mut Output,
) -> Result<(), AnswerError> {
    let details = server.anomaly(arguments.id).await?;
    let form = arguments.form.form();
    Ok(form.print(output, [json::Details::new(&details)], || {
        lines(&details, form, Palette::of_stdout())
    })?)
}

pub(crate) fn lines(details: &v1::AnomalyDetails, form: Form, palette: Palette) -> Vec<String> {
    let none = v1::Anomaly::default();
    let anomaly = details.anomaly.as_ref().unwrap_or(&none);
    let none = v1::Event::default();
    let last = anomaly.last.as_ref().unwrap_or(&none);
    let mut lines = vec![palette.paint(BOLD, &last.summary)];
    let mut say = |what: &str, text: &str| {
        if !text.trim().is_empty() && text.trim() != "-" {
            lines.push(format!("  {what:10} {}", harmless(text.trim())));
        }
    };
    say("id", &anomaly.id);
    say("detector", &last.detector);
    say("severity", &names::severity(last.severity()));
    say("state", &api::names::anomaly_state(anomaly.state()));
    say("triage", &api::names::triage_state(anomaly.triage()));
    say("assignee", &anomaly.assignee);
    say("opened", &time::short(anomaly.opened_at));
    say("updated", &time::short(anomaly.updated_at));
    say("closed", &time::short(anomaly.closed_at));
    say("ATT&CK", &last.attack_ids.join(", "));
    if form == Form::Wide {
        let known = ["id", "detector", "anomaly"];
        let facts = facts::of(last).into_iter();
        for (name, value) in facts.filter(|(name, _)| !known.contains(name)) {
            say(name, &value);
        }
        for target in &last.targets {
            say("target", &aimed(target));
        }
    }
    if let Some(ports) = &last.ports {
        say("contacted", &set(ports.distinct_set.as_ref()));
        say("refused", &set(ports.refused_set.as_ref()));
        say("answered", &set(ports.answered_set.as_ref()));
    }
    let mut section = |title: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(palette.paint(BOLD, title));
            lines.extend(body.iter().map(|line| format!("  {}", harmless(line))));
        }
    };
    let told = |events: &[v1::Event]| {
        let told = events.iter();
        told.map(|it| format!("{} {}", time::short(it.raised_at), it.summary))
            .collect()
    };
    section("What was told of it", told(&details.events));
    section("What people made of it", told(&details.triage));
    section("What was done", told(&details.actions));
    let related = details.related.iter().map(|it| {
        let summary = it.last.as_ref().map_or("", |last| &last.summary);
        format!("{} {summary}", it.id)
    });
    section("Related", related.collect());
    lines
}

/// What was reached for, and what became of it.
fn aimed(target: &v1::Target) -> String {
    let none = v1::Endpoint::default();
    let endpoint = target.endpoint.as_ref().unwrap_or(&none);
    let pod = names::pod(&endpoint.namespace, &endpoint.pod).unwrap_or_default();
    let ports: Vec<_> = target.sample_ports.iter().map(u32::to_string).collect();
    let (failed, answered) = (target.failed_ports, target.answered_ports);
    format!(
        "{pod} {} failed {failed}, answered {answered}, such as {}",
        endpoint.address,
        ports.join(",")
    )
}

fn set(set: Option<&v1::PortSet>) -> String {
    let runs = set.and_then(|set| port_sets::runs(set).ok());
    let runs = runs.unwrap_or_default();
    let mut told: Vec<_> = runs
        .iter()
        .take(RUNS)
        .map(|run| match (run.start(), run.end()) {
            (first, last) if first == last => first.to_string(),
            (first, last) => format!("{first}-{last}"),
        })
        .collect();
    if runs.len() > RUNS {
        told.push(format!("and {} runs more", runs.len() - RUNS));
    }
    told.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_told_as_runs() {
        let of = |ports: &[u8]| v1::PortSet {
            ports: Some(v1::port_set::Ports::Runs(ports.to_vec())),
        };
        assert_eq!(set(Some(&of(&[22, 0, 57, 10]))), "22, 80-90");
        assert_eq!(set(None), "");
        let many: Vec<u8> = std::iter::repeat_n([1, 0], 50).flatten().collect();
        assert!(set(Some(&of(&many))).ends_with(", and 10 runs more"));
    }
}
