//! The terminal while the view is on it, given back as it was however the program ends.

use std::{
    io::{self, Stdout},
    panic,
};

use crossterm::{
    cursor::{Hide, Show},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};

use super::{model::Model, view};

pub(super) struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
}

impl Screen {
    /// Takes the terminal. A panic gives it back first, so that its message can be read: also in a program that
    /// aborts then, and drops nothing.
    pub(super) fn open() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            give_back();
            before(panic);
        }));
        enable_raw_mode()?;
        let taken = execute!(io::stdout(), EnterAlternateScreen, Hide)
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        match taken {
            Ok(terminal) => Ok(Self { terminal }),
            Err(error) => {
                give_back();
                Err(error)
            }
        }
    }

    pub(super) fn show(&mut self, model: &Model) -> io::Result<()> {
        self.terminal.draw(|frame| view::draw(model, frame))?;
        Ok(())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Each for itself: what cannot be undone is not there any more.
fn give_back() {
    disable_raw_mode().ok();
    execute!(io::stdout(), LeaveAlternateScreen, Show).ok();
}

#[cfg(test)]
mod tests {
    use std::{
        env,
        process::{Command, Stdio},
    };

    use super::*;

    /// Set in the program that panics.
    const PANICS: &str = "PICKET_TEST_PANICS";

    #[test]
    fn a_panic_gives_the_terminal_back_before_it_says_why() {
        if env::var_os(PANICS).is_some() {
            let _screen = Screen::open().unwrap();
            panic!("so it ends");
        }
        let program = env::current_exe().unwrap();
        let test =
            "top::screen::tests::a_panic_gives_the_terminal_back_before_it_says_why --nocapture";
        // `script` runs it on a terminal of its own.
        let output = Command::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(format!("{} --exact {test}", program.display()))
            .arg("/dev/null")
            .env(PANICS, "1")
            .env("TERM", "xterm")
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(!output.status.success());
        let text = String::from_utf8_lossy(&output.stdout);
        let place = |what: &str| {
            let place = text.find(what);
            place.unwrap_or_else(|| panic!("{what:?} is not in {text:?}"))
        };
        let said = place("so it ends");
        assert!(place("\x1b[?1049h") < place("\x1b[?1049l"), "{text:?}");
        assert!(place("\x1b[?1049l") < said, "{text:?}");
        assert!(place("\x1b[?25h") < said, "{text:?}");
    }
}
