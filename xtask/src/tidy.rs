//! The rules of the house that no other tool knows, each in a file of its own.

mod circles;
mod faces;
mod imports;
mod layout;
mod modules;
mod paths;
mod rooms;
mod size;
mod tokens;
mod tree;
mod words;

use anyhow::{Result, bail};

use self::tree::{Fault, Tree};
use crate::workspace::Workspace;

type Rule = fn(&Tree) -> Vec<Fault>;

const RULES: [(&str, Rule); 6] = [
    ("layout", layout::check),
    ("size", size::check),
    ("faces", faces::check),
    ("imports", imports::check),
    ("circles", circles::check),
    ("words", words::check),
];

/// Prints what breaks a rule, and what is about to.
///
/// # Errors
/// A rule is broken.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tree = Tree::read(workspace)?;
    let mut broken = 0;
    for (rule, check) in RULES {
        for fault in check(&tree) {
            println!("{fault} [{rule}]");
            broken += u32::from(!fault.is_warning);
        }
    }
    if broken > 0 {
        bail!("tidy: {broken} places break a rule; STYLE and the lines above say what to do");
    }
    println!("tidy: {} files keep the rules", tree.files.len());
    Ok(())
}
