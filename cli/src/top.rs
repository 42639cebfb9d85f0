//! `picket top`: who contacts whom, what is open, which budgets are spent and how the nodes are, as it changes.

mod failure;
mod fetch;
mod keys;
mod live;
mod model;
mod panel;
mod plain;
mod row;
mod screen;
mod snapshot;
mod view;

#[cfg(test)]
mod tests;

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, SystemTime},
};

use clap::Args;

pub(crate) use self::failure::TopError;
use self::{fetch::Fetch, live::live, model::Model, plain::frame};
use crate::{filter::FilterArguments, output::Output, server::Server};

#[derive(Args, Debug)]
pub(crate) struct TopArguments {
    /// Print one frame as plain text; so does picket when standard output is no terminal.
    #[arg(long)]
    once: bool,

    /// Ask the server anew after so long.
    #[arg(long, value_name = "DURATION", default_value = "2s", value_parser = pause)]
    every: Duration,

    /// Show only rows with this in them.
    #[arg(long, value_name = "TEXT", default_value = "")]
    text: String,

    /// Width of a frame of plain text.
    #[arg(long, value_name = "COLUMNS", default_value_t = 140, value_parser = clap::value_parser!(u16).range(40..=500))]
    width: u16,

    #[command(flatten)]
    filter: FilterArguments,
}

fn pause(text: &str) -> Result<Duration, String> {
    let pause = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    let range = Duration::from_millis(500)..=Duration::from_secs(3600);
    let refused = || "it takes 500ms to 1h, such as 2s".to_owned();
    range.contains(&pause).then_some(pause).ok_or_else(refused)
}

pub(crate) async fn run(
    server: &Server,
    arguments: TopArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), TopError> {
    arguments.filter.check(server).await?;
    let fetch = Fetch::new(server, arguments.filter, now);
    let snapshot = fetch.snapshot().await?;
    let model = Model::new(server.to_string(), arguments.text, snapshot, now);
    if !arguments.once && io::stdout().is_terminal() {
        return live(model, fetch, arguments.every).await;
    }
    for line in frame(&model, arguments.width) {
        output.line(&line).map_err(TopError::Output)?;
    }
    output.flush().map_err(TopError::Output)
}
