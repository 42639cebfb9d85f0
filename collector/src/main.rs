//! `picket-collector`: reads the configuration and runs the collector until a signal comes.

use std::{
    io::{self, IsTerminal as _},
    process::ExitCode,
};

use anyhow::Context as _;
use clap::Parser as _;
use collector::{
    config::{Config, Flags, LogFormat},
    server::Server,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

/// An event is a few dozen small pieces of memory, taken by one thread and given back by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// As clap's own for flags it does not know.
const CONFIGURATION: u8 = 2;

fn main() -> ExitCode {
    let config = match Config::load(Flags::parse()) {
        Ok(config) => config,
        Err(error) => return fail(&error.into(), ExitCode::from(CONFIGURATION)),
    };
    match run(config) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error, ExitCode::FAILURE),
    }
}

#[tokio::main]
async fn run(mut config: Config) -> anyhow::Result<()> {
    log(std::mem::take(&mut config.log), config.log_format);
    // Before anything is bound: a signal must not find us with a log half open.
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    if config.security.insecure {
        tracing::warn!(
            "insecure: whoever reaches this collector speaks for any node and sees every event, and all of it can be read on the way"
        );
    }
    let database = config.database.clone();
    let server = Server::bind(config).await?;
    for listen in server.listening() {
        tracing::info!(%listen, "serving gRPC");
    }
    tracing::info!(listen = %server.metrics(), %database, "serving metrics");
    if let Some(listen) = server.page() {
        tracing::info!(%listen, "serving the page");
    }
    server
        .run(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        })
        .await?;
    Ok(())
}

fn log(filter: EnvFilter, format: LogFormat) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr);
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
}

#[expect(clippy::print_stderr, reason = "the last word of the process")]
fn fail(error: &anyhow::Error, code: ExitCode) -> ExitCode {
    eprintln!("error: {error:#}");
    code
}
