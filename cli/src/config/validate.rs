//! `picket config validate`: every line that cannot be used, and why.

use std::{fs, path::Path, time::SystemTime};

use api::policy::{self, Time};

use super::failure::ConfigError;
use crate::{output::Output, palette::harmless};

pub(super) fn run(path: &Path, now: SystemTime, output: &mut Output) -> Result<(), ConfigError> {
    let text = fs::read_to_string(path).map_err(|source| ConfigError::Read {
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
    Err(ConfigError::Wrong { path, problems })
}
