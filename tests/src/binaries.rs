//! Where the real binaries are.

use std::{env, path::PathBuf};

use anyhow::{Context, Result};

/// The directory that has them, when it is not the one this executable was built into.
const DIRECTORY: &str = "PICKET_BIN_DIR";

/// The path of `picket-agent`, `picket-collector` or `picket`.
///
/// # Errors
/// When it has not been built.
pub fn binary(name: &str) -> Result<PathBuf> {
    let here = env::current_exe()?;
    let given = env::var_os(DIRECTORY).map(PathBuf::from);
    // Tests run from `deps`, one below the binaries.
    let beside = here.ancestors().skip(1).take(2).map(PathBuf::from);
    given
        .into_iter()
        .chain(beside)
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
        .with_context(|| {
            format!(
                "{name} is not built: run `cargo build -p agent -p collector -p cli`, \
                 or set {DIRECTORY} to the directory that has it"
            )
        })
}
