//! `picket status`: nodes, what they watch, and what they cannot see.

mod text;

use std::time::SystemTime;

use clap::Args;

use crate::{
    form::{AnswerError, FormArguments},
    json,
    output::Output,
    palette::Palette,
    server::Server,
};

#[derive(Args, Debug)]
pub(crate) struct StatusArguments {
    #[command(flatten)]
    form: FormArguments,
}

pub(crate) async fn run(
    server: &Server,
    arguments: &StatusArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), AnswerError> {
    let nodes = server.nodes().await?.nodes;
    let form = arguments.form.form();
    form.print(output, nodes.iter().map(json::node), || {
        text::nodes(&nodes, form, now, Palette::of_stdout())
    })?;
    Ok(())
}
