//! Runs other programs, and says which one failed, where, and what to do next.

use std::{
    env,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Error, Result, bail};

/// The cargo that runs us.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Runs `command` with our own terminal.
///
/// # Errors
/// It cannot be started, or it fails; `next` says what to do then.
pub(crate) fn run(command: &mut Command, next: &str) -> Result<()> {
    eprintln!("$ {}", line(command));
    let status = command
        .status()
        .with_context(|| format!("cannot start {}; {next}", place(command)))?;
    if !status.success() {
        bail!("{} failed with {status}; {next}", place(command));
    }
    Ok(())
}

/// Runs `command` silently and returns what it printed.
///
/// # Errors
/// As for [`run`]; what it said on standard error is part of the message.
pub(crate) fn read(command: &mut Command, next: &str) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}; {next}", place(command)))?;
    if !output.status.success() {
        bail!(
            "{} failed with {}: {}; {next}",
            place(command),
            output.status,
            String::from_utf8_lossy(&output.stderr).trim(),
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed no valid UTF-8", place(command)))
}

/// What `command` prints, or nothing when it cannot be started or fails.
pub(crate) fn probe(command: &mut Command) -> Option<String> {
    read(command, "").ok()
}

/// Becomes `command`, so that its exit code and every signal are its own.
pub(crate) fn become_command(command: &mut Command) -> Error {
    eprintln!("$ {}", line(command));
    Error::new(command.exec()).context(format!("cannot start {}", place(command)))
}

fn place(command: &Command) -> String {
    let line = line(command);
    match command.get_current_dir() {
        Some(directory) => format!("`{line}` in {}", directory.display()),
        None => format!("`{line}`"),
    }
}

fn line(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let name = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let arguments = command.get_args().map(|argument| {
        let argument = argument.to_string_lossy();
        if argument.is_empty() || argument.contains([' ', '\'', '"', '$', '*']) {
            format!("'{argument}'")
        } else {
            argument.into_owned()
        }
    });
    [name]
        .into_iter()
        .chain(arguments)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_command_place_and_next_step() {
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", "echo bad >&2; exit 3"])
            .current_dir("/");

        let error = read(&mut command, "do this next").unwrap_err().to_string();
        for part in ["sh -c", "in /", "exit status: 3", "bad", "do this next"] {
            assert!(error.contains(part), "no {part:?} in {error:?}");
        }
        let error = run(&mut command, "do that next").unwrap_err().to_string();
        for part in ["sh -c", "in /", "exit status: 3", "do that next"] {
            assert!(error.contains(part), "no {part:?} in {error:?}");
        }
    }

    #[test]
    fn a_missing_program_is_named() {
        let mut command = Command::new("/nonexistent/program");
        let error = format!("{:#}", run(&mut command, "install it").unwrap_err());
        assert!(error.contains("program"), "{error}");
        assert!(error.contains("install it"), "{error}");
        assert_eq!(probe(&mut command), None);
    }
}
