//! `picket config validate`: every line that cannot be used, and why.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use api::policy::{self, Time};
use thiserror::Error;

use crate::{failure::RunError, output::Output, palette::harmless};

#[derive(Debug, Error)]
pub enum ValidateError {
    #[error("cannot read {}; name a file that you may read", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} cannot be used: correct {problems} line(s) above, and validate again", path.display())]
    Wrong { path: PathBuf, problems: usize },
}

pub(super) fn run(path: &Path, now: SystemTime, output: &mut Output) -> Result<(), RunError> {
    let text = fs::read_to_string(path).map_err(|source| ValidateError::Read {
        path: path.to_owned(),
        source,
    })?;
    let name = path.display().to_string();
    let mut problems = 0;
    for (name, read) in policy::validate(&name, &text, Time::New { now }) {
        match read {
            Ok(policy) => {
                let (scopes, exceptions) = (policy.scopes.len(), policy.exceptions.len());
                output.line(&harmless(&format!(
                    "{name}: can be used; scopes: {scopes}, exceptions: {exceptions}, containment: {}",
                    policy.containment.mode
                )))?;
            }
            Err(refused) => {
                for line in refused.lines() {
                    problems += 1;
                    output.line(&harmless(&line))?;
                }
            }
        }
    }
    output.flush()?;
    if problems == 0 {
        return Ok(());
    }
    let path = path.to_owned();
    Err(ValidateError::Wrong { path, problems }.into())
}
