//! What the demo says: one step a line with the time since its start, coloured only on a terminal.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it talks to a person"
)]

use std::{
    env,
    io::{IsTerminal, stdout},
    time::Instant,
};

use clap::builder::styling::{AnsiColor, Style};

pub(crate) const ALARM: Style = AnsiColor::Red.on_default().bold();
pub(crate) const COMMAND: Style = AnsiColor::Cyan.on_default();
pub(crate) const STRONG: Style = Style::new().bold();
const TIME: Style = Style::new().dimmed();

#[derive(Debug)]
pub(crate) struct Teller {
    start: Instant,
    coloured: bool,
}

impl Teller {
    #[expect(
        clippy::disallowed_methods,
        reason = "the times it says are since here"
    )]
    pub(crate) fn of_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            start: Instant::now(),
            coloured: stdout().is_terminal() && !unwanted,
        }
    }

    /// Says what has just happened.
    pub(crate) fn step(&self, what: &str) {
        let time = format!("{:6.2}s", self.start.elapsed().as_secs_f64());
        println!("{}  {what}", self.paint(TIME, &time));
    }

    /// Adds a named detail to the step before.
    pub(crate) fn detail(&self, name: &str, what: &str) {
        println!("           {name:<11} {what}");
    }

    /// Says something apart from the steps.
    pub(crate) fn note(&self, what: &str) {
        println!("{what}");
    }

    pub(crate) fn fail(&self, error: &anyhow::Error) {
        eprintln!("error: {error:#}");
    }

    pub(crate) fn paint(&self, style: Style, text: &str) -> String {
        if self.coloured {
            format!("{style}{text}{style:#}")
        } else {
            text.into()
        }
    }
}
