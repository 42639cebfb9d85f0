//! Rule: a file says in its first line what it is for, and `lib.rs` is a face and nothing else.

use super::{
    tokens::{Token, tokens},
    tree::{Fault, Tree},
};

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for file in tree.sources() {
        if !file.text.starts_with("//! ") {
            faults.push(Fault::new(
                &file.path,
                1,
                "the first line is `//!` and says in one sentence what the file is for",
            ));
        }
        if file.path.ends_with("src/lib.rs") {
            faults.extend(stray_item(&tokens(&file.text)).map(|line| {
                Fault::new(&file.path, line, "lib.rs holds modules and re-exports only")
            }));
        }
    }
    faults
}

/// Line of the first item that is no `mod x;`, `use`, or attribute.
fn stray_item(tokens: &[Token<'_>]) -> Option<usize> {
    let text = |at: usize| tokens.get(at).map_or("", |token| token.text);
    let mut at = 0;
    while at < tokens.len() {
        let start = at;
        if text(at) == "#" {
            at = closing(tokens, at + 1 + usize::from(text(at + 1) == "!"), "[", "]");
            continue;
        }
        if text(at) == "pub" {
            at += 1;
            if text(at) == "(" {
                at = closing(tokens, at, "(", ")");
            }
        }
        match text(at) {
            "mod" if text(at + 2) == ";" => at += 3,
            "use" => {
                let length = tokens[at..].iter().position(|token| token.text == ";")?;
                at += length + 1;
            }
            _ => return Some(tokens[start].line),
        }
    }
    None
}

/// The place after the bracket that closes the one at `at`.
fn closing(tokens: &[Token<'_>], at: usize, open: &str, close: &str) -> usize {
    let mut depth = 0;
    for (place, token) in tokens.iter().enumerate().skip(at) {
        if token.text == open {
            depth += 1;
        } else if token.text == close {
            depth -= 1;
            if depth == 0 {
                return place + 1;
            }
        }
    }
    tokens.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_its_sentence_is_caught() {
        for (text, count) in [
            ("//! Does this.\n", 0),
            ("", 1),
            ("#![no_std]\n//! Late.\n", 1),
        ] {
            let faults = check(&Tree::of(&[("agent/src/a.rs", text)]));
            assert_eq!(faults.len(), count, "{text:?}");
        }
    }

    #[test]
    fn items_in_a_face_are_caught() {
        let cases = [
            (
                "#![no_std]\n#![deny(missing_docs)]\n#[cfg(x)]\nmod a;\npub mod b;",
                None,
            ),
            ("pub(crate) mod c;\npub use a::{B, C};\nuse d as _;", None),
            ("mod a;\n\npub const X: u8 = 1;", Some(4)),
            ("mod a {\n}", Some(2)),
            ("/// Doc.\npub fn f() {}", Some(3)),
        ];
        for (text, expected) in cases {
            let text = format!("//! Face.\n{text}");
            let faults = check(&Tree::of(&[("agent/src/lib.rs", &text)]));
            assert_eq!(faults.first().map(|fault| fault.line), expected, "{text}");
            assert_eq!(check(&Tree::of(&[("agent/src/a.rs", &text)])), [], "{text}");
        }
    }
}
