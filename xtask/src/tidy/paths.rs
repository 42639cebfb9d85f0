//! The paths that a source file names, with `use` trees written out.

use super::tokens::{Token, tokens};

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mention {
    pub(super) line: usize,
    /// Names of the inline modules around it.
    pub(super) inside: Vec<String>,
    /// `*` last for a glob.
    pub(super) segments: Vec<String>,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Use,
    PublicUse,
    /// In code, with two segments at least.
    Path,
}

impl Mention {
    /// Whether this path is `prefix` or lies below it.
    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        let mut segments = self.segments.iter();
        prefix
            .split("::")
            .all(|part| segments.next().is_some_and(|segment| segment == part))
    }

    /// Whether it is within `mod tests { … }`.
    pub(super) fn is_in_tests(&self) -> bool {
        self.inside.iter().any(|name| name == "tests")
    }
}

pub(super) fn mentions(source: &str) -> Vec<Mention> {
    let tokens = tokens(source);
    let mut reader = Reader {
        tokens: &tokens,
        at: 0,
        depth: 0,
        inside: Vec::new(),
        found: Vec::new(),
    };
    while reader.at < tokens.len() {
        reader.step();
    }
    reader.found
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
    depth: usize,
    /// Inline modules, each with the depth of braces at which it ends.
    inside: Vec<(String, usize)>,
    found: Vec<Mention>,
}

impl Reader<'_> {
    fn step(&mut self) {
        let token = self.tokens[self.at];
        match token.text {
            "{" => self.depth += 1,
            "}" => {
                self.depth = self.depth.saturating_sub(1);
                if self
                    .inside
                    .last()
                    .is_some_and(|(_, end)| *end == self.depth)
                {
                    self.inside.pop();
                }
            }
            "mod" if self.text(2) == "{" => {
                self.inside.push((self.text(1).to_owned(), self.depth));
            }
            // Not the `use<'a>` of captured lifetimes.
            "use" if self.text(1) != "<" => {
                let kind = if self.is_public() {
                    Kind::PublicUse
                } else {
                    Kind::Use
                };
                self.at += 1;
                self.use_tree(&[], kind);
                return;
            }
            "extern" if self.text(1) == "crate" => {
                let segments = vec![self.text(2).to_owned()];
                self.add(token.line, segments, Kind::Use);
                self.at += 3;
                return;
            }
            _ if token.is_name() && self.text(1) == "::" => {
                self.path();
                return;
            }
            _ => {}
        }
        self.at += 1;
    }

    /// The text `ahead` of here, or nothing.
    fn text(&self, ahead: usize) -> &str {
        self.tokens
            .get(self.at + ahead)
            .map_or("", |token| token.text)
    }

    fn is_public(&self) -> bool {
        let before = &self.tokens[..self.at];
        match before.last().map(|token| token.text) {
            Some("pub") => true,
            Some(")") => before
                .iter()
                .rposition(|token| token.text == "(")
                .is_some_and(|open| open > 0 && before[open - 1].text == "pub"),
            _ => false,
        }
    }

    /// `a::b::c` in code; stops before generic arguments.
    fn path(&mut self) {
        let line = self.tokens[self.at].line;
        let mut segments = vec![self.text(0).to_owned()];
        self.at += 1;
        while self.text(0) == "::" && self.tokens.get(self.at + 1).is_some_and(Token::is_name) {
            segments.push(self.text(1).to_owned());
            self.at += 2;
        }
        if segments.len() > 1 {
            self.add(line, segments, Kind::Path);
        }
    }

    /// One branch of a `use` tree, and its `;` if it is there.
    fn use_tree(&mut self, prefix: &[String], kind: Kind) {
        let line = self.tokens.get(self.at).map_or(0, |token| token.line);
        let mut segments = prefix.to_vec();
        loop {
            match self.text(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.text(0), "}" | "") {
                        self.use_tree(&segments, kind);
                        if self.text(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "as" => self.at += 2,
                "::" => self.at += 1,
                "" | "," | "}" | ";" => break,
                "self" if !segments.is_empty() => self.at += 1,
                segment => {
                    segments.push(segment.to_owned());
                    self.at += 1;
                }
            }
        }
        self.add(line, segments, kind);
    }

    fn add(&mut self, line: usize, segments: Vec<String>, kind: Kind) {
        let inside = self.inside.iter().map(|(name, _)| name.clone()).collect();
        self.found.push(Mention {
            line,
            inside,
            segments,
            kind,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_is_found() {
        let cases: [(&str, &[&str]); 9] = [
            ("use a::b;", &["a::b"]),
            (
                "use a::{self, b::{c as d, e}, f::*};",
                &["a", "a::b::c", "a::b::e", "a::f::*"],
            ),
            ("use ::a::b;", &["a::b"]),
            ("use {a, b::c,};", &["a", "b::c"]),
            ("let x = a::b::<c::D>(e);", &["a::b", "c::D"]),
            (
                "#[a::main] fn f() { b!(c::d); g::h!() }",
                &["a::main", "c::d", "g::h"],
            ),
            ("extern crate alloc;", &["alloc"]),
            ("fn f() -> impl X + use<'a> { y }", &[]),
            ("// use a::b;\n\"c::d\"", &[]),
        ];
        for (source, expected) in cases {
            let found: Vec<_> = mentions(source)
                .iter()
                .map(|mention| mention.segments.join("::"))
                .collect();
            assert_eq!(found, expected, "{source}");
        }
    }

    #[test]
    fn kind_place_and_line_are_told() {
        let source =
            "pub use a::B;\npub(crate) use c::D;\nmod x {\n mod tests { use e::F; }\n}\ng::h;";
        let found: Vec<_> = mentions(source)
            .into_iter()
            .map(|mention| (mention.line, mention.kind, mention.inside.join("/")))
            .collect();
        assert_eq!(
            found,
            [
                (1, Kind::PublicUse, String::new()),
                (2, Kind::PublicUse, String::new()),
                (4, Kind::Use, "x/tests".into()),
                (6, Kind::Path, String::new()),
            ]
        );
    }

    #[test]
    fn a_prefix_is_one_of_whole_segments() {
        let mention = &mentions("use std::time::Instant;")[0];
        assert!(mention.starts_with("std::time"));
        assert!(!mention.starts_with("std::tim"));
        assert!(!mention.starts_with("std::time::Instant::now"));
    }
}
