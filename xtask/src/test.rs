//! Runs every test, and lets none that needs root skip; the kinds that take a machine of their own apart.

mod kernels;
mod miri;

use std::ffi::OsString;

use anyhow::Result;

use crate::{command, prepare, setup::Needs};

#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    kind: Option<Kind>,
    /// Arguments for `cargo test`.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<OsString>,
}

#[derive(clap::Subcommand)]
enum Kind {
    /// Test the programs on the kernels 5.10 to 7.x, each in a virtual machine.
    Kernels(kernels::Arguments),
    /// Interpret the tests of the shared layouts, which finds undefined behaviour.
    Miri,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.kind {
        None => all(&arguments.arguments),
        Some(Kind::Kernels(arguments)) => kernels::run(arguments),
        Some(Kind::Miri) => miri::run(),
    }
}

fn all(arguments: &[OsString]) -> Result<()> {
    let why = "its tests make network namespaces and load programs into the kernel";
    let needs = Needs {
        forms: true,
        cluster: takes("kubernetes", arguments),
        browser: takes("page", arguments),
        ..Needs::default()
    };
    let workspace = prepare::lab("test", why, &["--tests"], needs)?;
    Err(command::become_command(
        command::cargo()
            .current_dir(&workspace.root)
            .args(["test", "--workspace"])
            .args(arguments)
            .env("PICKET_REQUIRE_ROOT", "1"),
    ))
}

/// Whether the tests that are chosen are all, or among others this one: a Kubernetes takes minutes to build, and a
/// browser is large.
fn takes(test: &str, arguments: &[OsString]) -> bool {
    let chosen = |name: &OsString| {
        let choices = ["--test", "--lib", "--bins", "--doc", "--package", "-p"];
        choices.iter().any(|it| name == it)
    };
    !arguments.iter().any(chosen) || arguments.iter().any(|it| it == test)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_alone_takes_what_it_needs() {
        for (arguments, expected) in [
            (&[][..], true),
            (&["--no-fail-fast"], true),
            (&["--test", "kubernetes"], true),
            (&["--test", "policy"], false),
            (&["--package", "agent", "--lib"], false),
        ] {
            let arguments: Vec<_> = arguments.iter().map(OsString::from).collect();
            assert_eq!(takes("kubernetes", &arguments), expected, "{arguments:?}");
        }
    }
}
