//! Rule: words and places that have no business in the tree.

use super::tree::{Fault, Tree};

/// A text that must not occur, and why.
///
/// Each is written in two parts, so that this file keeps its own rule.
const UNWANTED: [(&str, &str, &str); 7] = [
    (
        "/ro",
        "ot/",
        "a path of one machine: take it from the environment",
    ),
    (
        "/wo",
        "rk/",
        "a path of one machine: take it from the environment",
    ),
    (
        "/ho",
        "me/",
        "a path of one machine: take it from the environment",
    ),
    (
        "crates",
        ".io",
        "the host of a registry: name the package only",
    ),
    (
        "deb.debian",
        ".org",
        "the host of a registry: name the package only",
    ),
    (
        "static.rust",
        "-lang",
        "the host of a registry: name the package only",
    ),
    (
        "ses",
        "sion",
        "no word of ours: say stream, connection, flow or run",
    ),
];

/// Settings of PostgreSQL that have such a text in their names, in two parts too.
const NAMES: [(&str, &str); 2] = [
    ("target_ses", "sion_attrs"),
    ("idle_in_transaction_ses", "sion_timeout"),
];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    // A lock file names the registry in every entry.
    let is_lock = |path: &str| path.rsplit('/').next() == Some("Cargo.lock");
    for file in tree.files.iter().filter(|file| !is_lock(&file.path)) {
        for (start, end, why) in UNWANTED {
            let unwanted = format!("{start}{end}");
            for (line, text) in file.text.lines().enumerate() {
                if occurs(&without_names(&text.to_lowercase()), &unwanted) {
                    faults.push(Fault::new(
                        &file.path,
                        line + 1,
                        format!("`{unwanted}` is {why}"),
                    ));
                }
            }
        }
    }
    faults
}

fn without_names(text: &str) -> String {
    NAMES.iter().fold(text.to_owned(), |text, (start, end)| {
        text.replace(&format!("{start}{end}"), "")
    })
}

/// Whether `unwanted` is in `text`, and not as the end of another word.
fn occurs(text: &str, unwanted: &str) -> bool {
    text.match_indices(unwanted)
        .any(|(at, _)| !text[..at].ends_with(char::is_alphabetic) || unwanted.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_others_gave_is_let_be() {
        for (start, end) in NAMES {
            let text = format!("SET {start}{end} TO 1; {end}\n");
            assert_eq!(check(&Tree::of(&[("README.md", &text)])), []);
        }
    }

    #[test]
    fn each_unwanted_text_is_caught_and_its_parts_are_not() {
        for (start, end, _) in UNWANTED {
            let planted = format!("fine\nsee {start}{end} there\n").to_uppercase();
            let faults = check(&Tree::of(&[("README.md", &planted)]));
            assert_eq!(faults.len(), 1, "{planted}: {faults:?}");
            assert_eq!(faults[0].line, 2);
            assert_eq!(
                check(&Tree::of(&[
                    ("README.md", start),
                    ("tests/fuzz/Cargo.lock", &planted)
                ])),
                []
            );
        }
    }
}
