//! `picket status`: nodes, what they watch, and what they cannot see.

mod text;

use std::time::SystemTime;

use crate::{
    arguments::StatusArguments, failure::RunError, json, output::Output, palette::Palette,
    server::Server,
};

pub(crate) async fn run(
    server: &Server,
    arguments: &StatusArguments,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), RunError> {
    let nodes = server.nodes().await?.nodes;
    let lines = if arguments.json {
        nodes
            .iter()
            .map(json::node)
            .collect::<Result<Vec<_>, _>>()
            .map_err(std::io::Error::from)?
    } else {
        text::nodes(&nodes, now, Palette::of_stdout())
    };
    for line in lines {
        output.line(&line)?;
    }
    Ok(output.flush()?)
}
