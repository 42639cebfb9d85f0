//! What was measured on each kernel: the table, the file, and the budget that must hold.

use std::{fs, path::Path};

use anyhow::{Context as _, Result};
use serde::Serialize;

/// Instructions the verifier may walk through for one program, of the 1,000,000 that it allows: twice what 6.18's
/// walks through for `to_pod`, the most of all kernels.
pub(super) const VERIFIED_INSTRUCTIONS: u64 = 360_000;
/// Bytes of machine code of one program.
pub(super) const JITED_BYTES: u64 = 100_000;

/// One kernel.
#[derive(Serialize)]
pub(super) struct Row {
    #[serde(skip)]
    pub(super) series: String,
    /// Its exact version.
    pub(super) kernel: String,
    /// Whether it was refused, as it must be.
    pub(super) refused: bool,
    /// Tests that passed.
    pub(super) tests: u64,
    /// From power-on to power-off.
    pub(super) seconds: f64,
    /// None where it was refused.
    pub(super) programs: Vec<Program>,
}

/// One of our programs, as a kernel has it.
#[derive(Debug, Eq, PartialEq, Serialize)]
pub(super) struct Program {
    name: String,
    verified_instructions: u64,
    jited_bytes: u64,
}

impl Program {
    /// Reads `program NAME verified INSTRUCTIONS jited BYTES`.
    pub(super) fn read(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split(' ').collect();
        let ["program", name, "verified", verified, "jited", jited] = words[..] else {
            return None;
        };
        Some(Self {
            name: name.to_owned(),
            verified_instructions: verified.parse().ok()?,
            jited_bytes: jited.parse().ok()?,
        })
    }

    /// What is over budget, if anything is.
    pub(super) fn fault(&self) -> Option<String> {
        let checks = [
            (
                "verified instructions",
                self.verified_instructions,
                VERIFIED_INSTRUCTIONS,
            ),
            ("bytes of machine code", self.jited_bytes, JITED_BYTES),
        ];
        let over = checks.iter().find(|(_, count, budget)| count > budget)?;
        let (what, count, budget) = over;
        Some(format!(
            "{} has {count} {what}, over the budget of {budget}: make it smaller, or raise the \
             budget in xtask/src/test/kernels/report.rs with a reason",
            self.name
        ))
    }
}

/// `test result: ok. N passed` of each test executable, summed.
pub(super) fn passed(output: &[String]) -> u64 {
    let results = output
        .iter()
        .filter_map(|line| line.strip_prefix("test result: ok. "));
    results
        .filter_map(|line| line.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

pub(super) fn table(rows: &[Row]) -> String {
    let mut table = format!(
        "{:<18} {:>6} {:>6}  {:>29}  {:>29}\n",
        "kernel", "tests", "s", "verified, from_pod and to_pod", "jited bytes"
    );
    for row in rows {
        let list = |figure: fn(&Program) -> u64| {
            let figures = row
                .programs
                .iter()
                .map(|program| figure(program).to_string());
            figures.collect::<Vec<_>>().join(" ")
        };
        table += &format!(
            "{:<18} {:>6} {:>6.1}  {:>29}  {:>29}\n",
            row.kernel,
            row.tests,
            row.seconds,
            if row.refused {
                "refused, as it must be".into()
            } else {
                list(|it| it.verified_instructions)
            },
            list(|it| it.jited_bytes),
        );
    }
    table
}

pub(super) fn write(rows: &[Row], place: &Path) -> Result<()> {
    let text = serde_json::to_string_pretty(rows)?;
    fs::write(place, text).with_context(|| format!("cannot write {}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_read_and_held_to_the_budget() {
        let program = |verified, jited| Program {
            name: "to_pod".into(),
            verified_instructions: verified,
            jited_bytes: jited,
        };
        let line = "program to_pod verified 8000 jited 9000";
        assert_eq!(Program::read(line), Some(program(8000, 9000)));
        assert_eq!(Program::read("test program ... ok"), None);

        assert_eq!(program(VERIFIED_INSTRUCTIONS, JITED_BYTES).fault(), None);
        for over in [
            program(VERIFIED_INSTRUCTIONS + 1, 0),
            program(0, JITED_BYTES + 1),
        ] {
            assert!(
                over.fault().is_some_and(|fault| fault.contains("to_pod")),
                "{over:?}"
            );
        }
    }

    #[test]
    fn passed_tests_are_counted() {
        let line = "test result: ok. 23 passed; 0 failed; 0 ignored".to_owned();
        assert_eq!(passed(&[line.clone(), "x".into(), line]), 46);
    }
}
