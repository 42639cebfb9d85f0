//! `picket anomalies`: all events of an anomaly together, the most urgent first.

mod follow;
mod pages;
mod text;

use std::time::SystemTime;

use api::v1::{self, AnomalyState, TriageState};
use clap::{Args, ValueEnum};

use self::{follow::Follow, pages::Wanted};
use crate::{
    filter::FilterArguments,
    form::{AnswerError, FormArguments},
    json,
    output::{self, Output},
    server::Server,
};

#[derive(Args, Debug)]
pub(crate) struct AnomaliesArguments {
    /// Stay, and print each anomaly again whenever something new is told of it.
    #[arg(long, short, conflicts_with_all = ["until", "first"])]
    follow: bool,

    #[command(flatten)]
    filter: FilterArguments,

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

    /// Those of detectors that are tried out, too.
    #[arg(long)]
    shadow: bool,

    /// Print this many at most, the most urgent first.
    #[arg(long, value_name = "COUNT", visible_alias = "limit", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    first: u32,

    /// Print only the last so many, the latest first.
    #[arg(long, value_name = "COUNT", conflicts_with = "first", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    last: Option<u32>,

    #[command(flatten)]
    form: FormArguments,
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
    arguments.filter.check(server).await?;
    let form = arguments.form.form();
    let (follow, first, last) = (arguments.follow, arguments.first, arguments.last);
    let wanted = wanted(arguments, now);
    if follow {
        let mut follow = Follow::new(server, wanted, form, last, output);
        return tokio::select! {
            result = follow.run() => result,
            _ = tokio::signal::ctrl_c() => Ok(()),
            () = output::reader_left() => Ok(()),
        };
    }
    let listed = match last {
        Some(count) => pages::latest(server, &wanted, count).await?,
        None => pages::most_urgent(server, &wanted, first).await?,
    };
    form.print(output, [json::anomalies(&listed)], || {
        text::lines(&listed, form, now)
    })?;
    Ok(())
}

fn wanted(arguments: AnomaliesArguments, now: SystemTime) -> Wanted {
    let state = |it| match it {
        State::Open => AnomalyState::Open.into(),
        State::Closed => AnomalyState::Closed.into(),
    };
    let triage = |it| match it {
        Triage::New => TriageState::New.into(),
        Triage::Acknowledged => TriageState::Acknowledged.into(),
        Triage::Resolved => TriageState::Resolved.into(),
    };
    let (filter, rest) = arguments.filter.of_anomalies(now);
    let filter = v1::AnomalyFilter {
        states: arguments.state.into_iter().map(state).collect(),
        triage: arguments.triage.into_iter().map(triage).collect(),
        assignees: arguments.assignee,
        text: arguments.text.unwrap_or_default(),
        include_shadow: arguments.shadow,
        ..filter
    };
    Wanted { filter, rest }
}
