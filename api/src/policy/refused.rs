//! What is wrong with a document: every line of it, and why.

use std::fmt;

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// Where, from 1 on; 0 when it is the document as a whole.
    pub line: u64,
    /// What it is, and what would be right.
    pub reason: String,
}

impl Problem {
    pub(super) fn at(line: u64, reason: impl fmt::Display) -> Self {
        Self {
            line,
            reason: reason.to_string(),
        }
    }
}

/// A document that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refused {
    /// What people know the document by, such as its path.
    pub name: String,
    /// By their lines; never empty.
    pub problems: Vec<Problem>,
}

impl Refused {
    /// One line for each problem.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let lines = self.problems.iter();
        lines.map(|problem| format!("{}:{}: {}", self.name, problem.line, problem.reason))
    }
}

/// The first problem, and how many more there are.
impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines().next().unwrap_or_default())?;
        match self.problems.len() {
            0 | 1 => Ok(()),
            more => write!(
                f,
                " (and {} more; `picket config validate` tells all)",
                more - 1
            ),
        }
    }
}

impl std::error::Error for Refused {}
