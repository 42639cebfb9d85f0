//! Tells what the verifier and the compiler of this kernel made of the programs.

use agent_common::{FROM_POD_PROGRAM, TO_POD_PROGRAM};
use anyhow::{Context, Result};
use aya::programs::loaded_programs;
use tests::Kernel;

/// Loads and attaches the programs, and prints a line for each:
/// `program NAME verified INSTRUCTIONS jited BYTES`.
pub(crate) fn print() -> Result<()> {
    let lines = Kernel::with(async |_kernel| {
        let mut lines = Vec::new();
        for name in [FROM_POD_PROGRAM, TO_POD_PROGRAM] {
            let info = loaded_programs()
                .filter_map(Result::ok)
                .find(|info| info.name_as_str() == Some(name))
                .with_context(|| format!("the kernel does not list the program {name}"))?;
            let verified = info
                .verified_instruction_count()
                .context("the kernel does not tell how many instructions it verified")?;
            let jited = info.size_jitted();
            lines.push(format!("program {name} verified {verified} jited {jited}"));
        }
        Ok(lines)
    })?;
    lines.iter().for_each(|line| crate::say(line));
    Ok(())
}
