//! Completion scripts and man pages, from the same definitions that parse the command line.

use std::{
    fs,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use clap::CommandFactory as _;
use clap_complete::Shell;
use thiserror::Error;

use crate::Arguments;

#[derive(Debug, Error)]
pub enum ManualError {
    #[error("cannot write man pages to {directory}; name a directory you may write to")]
    Pages {
        directory: PathBuf,
        source: io::Error,
    },
    #[error("cannot write the completion script to standard output")]
    Completions(#[source] io::Error),
}

/// One page for `picket`, and one for each command.
pub(crate) fn write_pages(directory: &Path) -> Result<(), ManualError> {
    fs::create_dir_all(directory)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), directory))
        .map_err(|source| ManualError::Pages {
            directory: directory.to_owned(),
            source,
        })
}

pub(crate) fn print_completions(shell: Shell) -> Result<(), ManualError> {
    let mut command = Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, "picket", &mut script);
    io::stdout()
        .write_all(&script)
        .and_then(|()| io::stdout().flush())
        .map_err(ManualError::Completions)
}
