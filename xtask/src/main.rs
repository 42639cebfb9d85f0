//! `cargo xtask`: the developer's workflow, one file a command.
#![expect(
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "a command for people at a terminal"
)]

mod bench;
mod command;
mod compiler;
mod debian;
mod demo;
mod ebpf;
mod fuzz;
mod lint;
mod manifests;
mod node;
mod page;
mod prepare;
mod privilege;
mod setup;
mod test;
mod tidy;
mod tools;
mod workspace;

use std::{ffi::OsString, process::ExitCode};

use anyhow::Result;
use clap::Parser;

/// Builds, tests and shows Picket.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Task {
    /// Install what building, testing and the demo need: packages, compiler, linker.
    Setup {
        /// Also what `cargo xtask lint` needs.
        #[arg(long)]
        lint: bool,
    },
    /// Build the kernel programs into `target/bpf/picket-programs.o`.
    BuildEbpf,
    /// Check tidiness, format, dependencies, manifests, the page, and clippy on the host and the BPF target.
    Lint,
    /// Check the chart, and the manifests that are rendered from it.
    Manifests {
        /// Render them anew.
        #[arg(long)]
        update: bool,
    },
    /// Build the collector's page from `collector/web` into its `dist`.
    Page {
        /// Only check that what is committed is what is built.
        #[arg(long)]
        check: bool,
        /// Take the pictures that the README shows instead.
        #[arg(long, conflicts_with = "check")]
        screenshots: bool,
    },
    /// Check the rules of the house that no other tool knows.
    Tidy,
    /// Run every test, those that need root included.
    Test(test::Arguments),
    /// Fuzz what reads bytes that anybody may have written.
    Fuzz {
        /// For how long, each target.
        #[arg(long, value_name = "NUMBER", default_value = "60")]
        seconds: u32,
        /// Only this one.
        #[arg(long, value_name = "NAME")]
        target: Option<String>,
    },
    /// Show a scan, from the packet to the subscriber, in network namespaces.
    Demo {
        /// Arguments for the demo; `--once` exits after the story.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Run a benchmark and write `target/bench/NAME.json`; without a name, list them.
    Bench {
        name: Option<String>,
        /// Arguments for the benchmark.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
}

fn main() -> ExitCode {
    match run(Task::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(task: Task) -> Result<()> {
    match task {
        Task::Setup { lint } => setup::run(setup::Needs {
            lab: true,
            forms: true,
            lint,
            manifests: lint,
            page: lint,
            ..setup::Needs::default()
        }),
        Task::BuildEbpf => ebpf::build(&workspace::Workspace::load()?),
        Task::Lint => lint::run(),
        Task::Manifests { update } => manifests::run(update),
        Task::Page {
            screenshots: true, ..
        } => page::take_pictures(),
        Task::Page { check, .. } => page::run(check),
        Task::Tidy => tidy::run(&workspace::Workspace::load()?),
        Task::Test(arguments) => test::run(&arguments),
        Task::Fuzz { seconds, target } => fuzz::run(seconds, target.as_deref()),
        Task::Demo { arguments } => demo::run(&arguments),
        Task::Bench { name, arguments } => bench::run(name.as_deref(), &arguments),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_consistent() {
        super::Task::command().debug_assert();
    }
}
