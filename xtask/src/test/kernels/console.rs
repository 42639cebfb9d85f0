//! What a virtual machine says on its serial console, step by step.

/// How a step ended, and what it said.
#[derive(Debug, Default, Eq, PartialEq)]
pub(super) struct Ended {
    /// None when a signal ended it.
    pub(super) code: Option<i32>,
    pub(super) output: Vec<String>,
}

#[derive(Debug, Default)]
pub(super) struct Console {
    output: Vec<String>,
    is_whole: bool,
}

impl Console {
    /// Takes the next line, which may be the end of a step.
    pub(super) fn line(&mut self, line: &str) -> Option<Ended> {
        let line = line.trim_end();
        if line.starts_with("guest: run ") {
            self.output.clear();
        } else if let Some(code) = line.strip_prefix("guest: exit ") {
            return Some(Ended {
                code: code.parse().ok(),
                output: std::mem::take(&mut self.output),
            });
        } else if line == "guest: powers off" {
            self.is_whole = true;
        } else {
            self.output.push(line.to_owned());
        }
        None
    }

    /// What was said outside of steps that ended, and whether the machine powered itself off.
    pub(super) fn finish(self) -> (Vec<String>, bool) {
        (self.output, self.is_whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_told_apart() {
        let mut console = Console::default();
        let said = [
            "Linux says something\r",
            "guest: run 0",
            "test a ... ok\r",
            "guest: exit 0",
            "guest: run 1",
            "guest: exit none",
            "Kernel panic",
        ];
        let ended: Vec<_> = said.iter().filter_map(|line| console.line(line)).collect();
        let first = Ended {
            code: Some(0),
            output: vec!["test a ... ok".into()],
        };
        assert_eq!(ended, [first, Ended::default()]);
        assert_eq!(console.finish(), (vec!["Kernel panic".into()], false));

        let mut console = Console::default();
        assert_eq!(console.line("guest: powers off"), None);
        assert_eq!(console.finish(), (Vec::new(), true));
    }
}
