//! Colour.

use std::{
    env,
    io::{self, IsTerminal as _},
};

pub(crate) use api::harmless::harmless;
use clap::builder::styling::{AnsiColor, Style};

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const LOW: Style = AnsiColor::Cyan.on_default();
pub(crate) const MEDIUM: Style = AnsiColor::Yellow.on_default();
pub(crate) const HIGH: Style = AnsiColor::Red.on_default().bold();

/// Whether to colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Palette {
    Plain,
    Coloured,
}

impl Palette {
    /// Colour on a terminal only, and never with `NO_COLOR` (no-color.org) or a dumb terminal.
    pub(crate) fn of_stdout() -> Self {
        let unwanted = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || env::var_os("TERM").is_some_and(|value| value == "dumb");
        if io::stdout().is_terminal() && !unwanted {
            Self::Coloured
        } else {
            Self::Plain
        }
    }

    /// `text` in `style`, with control characters made harmless.
    pub(crate) fn paint(self, style: Style, text: &str) -> String {
        let text = harmless(text);
        match self {
            Self::Plain => text,
            Self::Coloured => format!("{style}{text}{style:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_from_elsewhere_are_made_harmless() {
        assert_eq!(
            Palette::Plain.paint(HIGH, "a\x1b[2Jb\n"),
            "a\u{fffd}[2Jb\u{fffd}"
        );
        let coloured = Palette::Coloured.paint(HIGH, "a\x1bb");
        assert_eq!(coloured, "\x1b[1m\x1b[31ma\u{fffd}b\x1b[0m");
    }
}
