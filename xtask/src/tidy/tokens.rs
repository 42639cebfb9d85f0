//! Splits Rust source into identifiers and punctuation; comments and literals fall away.

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Token<'a> {
    /// An identifier, `::`, or one other character.
    pub(super) text: &'a str,
    /// From 1.
    pub(super) line: usize,
}

impl Token<'_> {
    pub(super) fn is_name(&self) -> bool {
        self.text.starts_with(is_name_start)
    }
}

pub(super) fn tokens(source: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut rest = source;
    while let Some(first) = rest.chars().next() {
        let skipped = blank(rest);
        let length = if skipped > 0 {
            skipped
        } else {
            let length = if is_name_start(first) {
                name(rest)
            } else if rest.starts_with("::") {
                2
            } else {
                first.len_utf8()
            };
            found.push(Token {
                text: rest[..length].trim_start_matches("r#"),
                line,
            });
            length
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    found
}

/// Length of the white space, comment or literal that `rest` starts with; 0 if none.
fn blank(rest: &str) -> usize {
    let first = rest.as_bytes()[0];
    if first.is_ascii_whitespace() {
        1
    } else if rest.starts_with("//") {
        rest.find('\n').unwrap_or(rest.len())
    } else if rest.starts_with("/*") {
        block_comment(rest)
    } else if first.is_ascii_digit() {
        rest.find(|c| !is_name_part(c)).unwrap_or(rest.len())
    } else {
        literal(rest)
    }
}

fn block_comment(rest: &str) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < rest.len() {
        if rest[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    rest.len()
}

/// A string, byte string, C string or character; a lifetime counts as blank too.
fn literal(rest: &str) -> usize {
    let prefix = rest.find(|c| !matches!(c, 'b' | 'c' | 'r')).unwrap_or(0);
    let body = &rest[prefix..];
    if prefix > 2 {
        return 0;
    }
    if rest[..prefix].contains('r') {
        let hashes = body.find(|c| c != '#').unwrap_or(0);
        if !body[hashes..].starts_with('"') {
            return 0;
        }
        let start = prefix + hashes + 1;
        let close = format!("\"{}", "#".repeat(hashes));
        return rest[start..]
            .find(&close)
            .map_or(rest.len(), |end| start + end + close.len());
    }
    if body.starts_with('"') {
        return prefix + quoted(body, '"');
    }
    if body.starts_with('\'') && (prefix == 0 || rest.starts_with('b')) {
        let mut characters = body[1..].chars();
        let is_character = characters.next() == Some('\\') || characters.next() == Some('\'');
        return prefix
            + if is_character {
                quoted(body, '\'')
            } else {
                1 + name(&body[1..])
            };
    }
    0
}

/// Length of a literal between two `quote`s, with escapes.
fn quoted(body: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, c) in body.char_indices().skip(1) {
        if is_escaped {
            is_escaped = false;
        } else if c == '\\' {
            is_escaped = true;
        } else if c == quote {
            return at + 1;
        }
    }
    body.len()
}

fn name(rest: &str) -> usize {
    let raw = if rest.starts_with("r#") { 2 } else { 0 };
    raw + rest[raw..]
        .find(|c| !is_name_part(c))
        .unwrap_or(rest.len() - raw)
}

fn is_name_start(c: char) -> bool {
    c == '_' || c.is_alphabetic()
}

fn is_name_part(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_fall_away() {
        let cases: [(&str, &[&str]); 12] = [
            ("a::b // c\nd", &["a", "::", "b", "d"]),
            ("/// x\n/* y /* z */ w */ v", &["v"]),
            (r#"f("a \" b", c)"#, &["f", "(", ",", "c", ")"]),
            ("r#\"a \" b\"# c", &["c"]),
            ("br\"a\" b\"c\" c\"d\" e", &["e"]),
            ("r#type b", &["type", "b"]),
            (r"'\'' '\\' 'x' a", &["a"]),
            ("&'static str", &["&", "str"]),
            ("b'x' y", &["y"]),
            ("0x1f_u8 1..n", &[".", ".", "n"]),
            ("bar c r", &["bar", "c", "r"]),
            ("\"open", &[]),
        ];
        for (source, expected) in cases {
            let found: Vec<_> = tokens(source).iter().map(|token| token.text).collect();
            assert_eq!(found, expected, "{source}");
        }
    }

    #[test]
    fn lines_are_counted_through_literals() {
        let found = tokens("a\n\"x\ny\"\n/*\n*/ b");
        assert_eq!(found[1], Token { text: "b", line: 5 });
    }
}
