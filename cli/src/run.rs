//! Which command does what.

use std::time::SystemTime;

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Arguments, anomalies,
    arguments::Command,
    certs, config, contain, detectors, doctor, events, explain,
    failure::RunError,
    graph,
    kubectl::{Forward, Forwarded},
    manual,
    output::Output,
    policy, replay, selftest,
    server::{Server, ServerError},
    status, top,
};

/// Runs one command; `now` is the time it starts.
///
/// # Errors
/// Says what was tried, on what, and what to do next. That the reader of standard output left is none.
pub async fn run(arguments: Arguments, now: SystemTime) -> Result<(), RunError> {
    let done = match arguments.forwarded() {
        None => dispatch(arguments, Ok(None), now).await,
        // kubectl must end with this program.
        Some(forwarded) => tokio::select! {
            biased;
            done = forward(arguments, forwarded, now) => done,
            ended = ended() => ended,
        },
    };
    match done {
        Err(error) if error.reader_left() => Ok(()),
        result => result,
    }
}

async fn forward(
    arguments: Arguments,
    forwarded: Forwarded,
    now: SystemTime,
) -> Result<(), RunError> {
    match Forward::start(forwarded).await {
        Ok(forward) => dispatch(arguments, Ok(Some(&forward)), now).await,
        Err(error) => dispatch(arguments, Err(error.into()), now).await,
    }
}

/// Waits until a signal asks this program to end.
async fn ended() -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Err(RunError::Interrupted)
}

async fn dispatch(
    arguments: Arguments,
    forward: Result<Option<&Forward>, ServerError>,
    now: SystemTime,
) -> Result<(), RunError> {
    let mut output = Output::new();
    let certificate = arguments.certificate();
    let server = forward.and_then(|forward| {
        let remote = arguments.remote(forward)?;
        Ok(Server::new(remote))
    });
    let own = arguments.own();
    match arguments.command {
        Command::Events(arguments) => Ok(events::run(&server?, arguments, now, &mut output).await?),
        Command::Anomalies(arguments) => {
            Ok(anomalies::run(&server?, arguments, now, &mut output).await?)
        }
        Command::Top(arguments) => Ok(top::run(&server?, arguments, now, &mut output).await?),
        Command::Explain(arguments) => Ok(explain::run(&server?, arguments, &mut output).await?),
        Command::Graph(arguments) => Ok(graph::run(&server?, arguments, &mut output).await?),
        Command::Detectors(arguments) => {
            Ok(detectors::run(&server?, &arguments, now, &mut output).await?)
        }
        Command::Status(arguments) => {
            Ok(status::run(&server?, &arguments, now, &mut output).await?)
        }
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
        Command::Replay(arguments) => Ok(replay::run(arguments, &mut output)?),
        Command::Completions(arguments) => Ok(manual::print_completions(arguments.shell)?),
        Command::Man(arguments) => Ok(manual::write_pages(&arguments.directory)?),
    }
}
