//! `picket detectors`: how they are set on all nodes, and what they do.

use std::time::SystemTime;

use api::{json, v1};
use clap::Args;

use crate::{
    form::{AnswerError, Form, FormArguments},
    output::Output,
    palette::{BOLD, Palette, harmless},
    server::Server,
    table::table,
    time,
};

#[derive(Args, Debug)]
pub(crate) struct DetectorsArguments {
    #[command(flatten)]
    form: FormArguments,
}

pub(crate) async fn run(
    server: &Server,
    arguments: &DetectorsArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), AnswerError> {
    let listed = server.detectors().await?;
    let form = arguments.form.form();
    Ok(form.print(output, [json::Detectors::new(&listed)], || {
        lines(&listed, form, now)
    })?)
}

fn lines(listed: &v1::ListDetectorsResponse, form: Form, now: SystemTime) -> Vec<String> {
    let palette = Palette::of_stdout();
    let rows: Vec<_> = listed.detectors.iter().map(|it| row(it, now)).collect();
    let mut lines = table(
        ["DETECTOR", "MODE", "OPEN", "LAST FOUND", "ABOUT"],
        &rows,
        palette,
    );
    let mut section = |title: &str, body: Vec<String>| {
        if !body.is_empty() {
            lines.push(String::new());
            lines.push(palette.paint(BOLD, title));
            lines.extend(body.iter().map(|line| format!("  {}", harmless(line))));
        }
    };
    if form == Form::Wide {
        for detector in &listed.detectors {
            let thresholds = detector.thresholds.iter();
            let thresholds =
                thresholds.map(|it| format!("{}: {}  # {}", it.key, it.value, it.takes));
            section(&detector.id, thresholds.collect());
        }
    }
    let scopes = listed.scopes.iter();
    let scopes = scopes.map(|it| format!("{}: {}", it.selector, it.settings.join(", ")));
    section("Scopes", scopes.collect());
    let exceptions = listed.exceptions.iter().map(|it| {
        let until = match (it.until, it.expired) {
            (_, true) => "has ended".to_owned(),
            (Some(until), _) => format!("until {}", time::short(Some(until))),
            (None, _) => "for ever".to_owned(),
        };
        format!(
            "{}: {} ({}), {until}, {} hits",
            it.name, it.reason, it.owner, it.hits
        )
    });
    section("Exceptions", exceptions.collect());
    lines
}

fn row(detector: &v1::Detector, now: SystemTime) -> [String; 5] {
    let open: u32 = detector.activity.iter().map(|it| it.open).sum();
    let last = detector.activity.iter().filter_map(|it| it.last_raised_at);
    let last = last.max_by_key(|it| (it.seconds, it.nanos));
    [
        detector.id.clone(),
        detector.mode.clone(),
        open.to_string(),
        time::ago(last, now),
        detector.about.clone(),
    ]
}
