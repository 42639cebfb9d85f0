//! Rule: no file is too long for one idea.

use super::tree::{Fault, Tree};

const LOOK: usize = 300;
const CEILING: usize = 450;

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    tree.sources()
        .filter_map(|file| {
            let lines = file.text.lines().count();
            (lines > LOOK).then(|| Fault {
                is_warning: lines <= CEILING,
                ..Fault::new(
                    &file.path,
                    0,
                    format!("{lines} lines: is it one idea? {CEILING} is the ceiling"),
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_warn_and_too_long_ones_fail() {
        for (lines, expected) in [
            (300, None),
            (301, Some(true)),
            (450, Some(true)),
            (451, Some(false)),
        ] {
            let text = "x\n".repeat(lines);
            let faults = check(&Tree::of(&[("agent/src/a.rs", &text)]));
            let found = faults.first().map(|fault| fault.is_warning);
            assert_eq!(found, expected, "{lines} lines");
        }
    }
}
