//! Which command does what.

use std::time::SystemTime;

use crate::{
    Arguments, anomalies,
    arguments::Command,
    certs, config, contain, detectors, doctor, events, explain,
    failure::RunError,
    graph, manual,
    output::Output,
    policy, replay, selftest,
    server::{Server, ServerError},
    status,
};

/// Runs one command; `now` is the time it starts.
///
/// # Errors
/// Says what was tried, on what, and what to do next. That the reader of standard output left is none.
pub async fn run(arguments: Arguments, now: SystemTime) -> Result<(), RunError> {
    match dispatch(arguments, now).await {
        Err(error) if error.reader_left() => Ok(()),
        result => result,
    }
}

async fn dispatch(arguments: Arguments, now: SystemTime) -> Result<(), RunError> {
    let mut output = Output::new();
    let certificate = arguments.certificate();
    let server = arguments.remote().map(Server::new);
    let server = server.map_err(ServerError::from);
    let own = arguments.own();
    match arguments.command {
        Command::Events(arguments) => events::run(&server?, arguments, now, &mut output).await,
        Command::Anomalies(arguments) => {
            Ok(anomalies::run(&server?, arguments, now, &mut output).await?)
        }
        Command::Explain(arguments) => Ok(explain::run(&server?, arguments, &mut output).await?),
        Command::Graph(arguments) => Ok(graph::run(&server?, arguments, &mut output).await?),
        Command::Detectors(arguments) => {
            Ok(detectors::run(&server?, &arguments, now, &mut output).await?)
        }
        Command::Status(arguments) => status::run(&server?, &arguments, now, &mut output).await,
        Command::Contain(arguments) => {
            Ok(contain::contain(&server?, own, arguments, now, &mut output).await?)
        }
        Command::Release(arguments) => {
            Ok(contain::release(&server?, own, arguments, now, &mut output).await?)
        }
        Command::Policy(arguments) => Ok(policy::run(&server?, arguments, &mut output).await?),
        Command::Certs(arguments) => Ok(certs::run(arguments, now, &mut output)?),
        Command::Doctor(arguments) => {
            Ok(doctor::run(server, &arguments, certificate, now, &mut output).await?)
        }
        Command::Selftest(arguments) => {
            Ok(selftest::run(&server?, &arguments, now, &mut output).await?)
        }
        Command::Config(arguments) => Ok(config::run(server, arguments, now, &mut output).await?),
        Command::Replay(arguments) => replay::run(arguments, &mut output),
        Command::Completions(arguments) => Ok(manual::print_completions(arguments.shell)?),
        Command::Man(arguments) => Ok(manual::write_pages(&arguments.directory)?),
    }
}
