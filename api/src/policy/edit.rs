//! Changes to a policy as it is written: line by line, so that comments and everything else stay.

mod refusal;
mod written;

use detect::{DETECTORS, Settings};

pub use self::{refusal::NotEdited, written::NewException};
use self::{refusal::refuse, written::written};

use super::{
    LARGEST,
    tree::{self, Node, Value},
};

/// One change.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Change {
    /// Another mode of a detector, or another value of one of its thresholds.
    Set {
        /// Which detector.
        detector: String,
        /// `mode`, or a threshold.
        key: String,
        /// As a policy writes it.
        value: String,
    },
    /// One more exception.
    Add(Box<NewException>),
    /// One less, by its name.
    Remove(String),
}

/// The text with these changes made. Whether it is a good policy then, who reads it says.
///
/// # Errors
/// When the text is written in a way that no line can be changed by itself, or a change makes no sense.
pub fn edit(text: &str, changes: &[Change]) -> Result<String, NotEdited> {
    let mut text = text.to_owned();
    for change in changes {
        text = match change {
            Change::Set {
                detector,
                key,
                value,
            } => set(&text, detector, key, value)?,
            Change::Add(exception) => add(&text, exception)?,
            Change::Remove(name) => remove(&text, name)?,
        };
    }
    Ok(text)
}

fn document(text: &str) -> Result<Option<Node>, NotEdited> {
    if text.len() > LARGEST {
        return refuse("the policy is too large");
    }
    let documents = tree::documents(text);
    let documents =
        documents.map_err(|it| NotEdited(format!("line {}: {}", it.line, it.reason)))?;
    let mut documents = documents.into_iter();
    Ok(documents.find(|it| !matches!(it.value, Value::Nothing)))
}

/// The line of a key, counted from 0, and what it holds.
fn field<'a>(node: &'a Node, name: &str) -> Option<(usize, &'a Node)> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let (key, value) = entries.iter().find(|(key, _)| key.text == name)?;
    Some((usize::try_from(key.line).ok()?.checked_sub(1)?, value))
}

fn set(text: &str, detector: &str, key: &str, value: &str) -> Result<String, NotEdited> {
    let known = DETECTORS.contains(&detector);
    let limits = Settings::limits(detector).unwrap_or_default();
    if !known || key != "mode" && !limits.iter().any(|it| it.key == key) {
        return refuse(format!("there is no setting {detector}.{key}"));
    }
    plain(value)?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let document = document(text)?;
    let detectors = document.as_ref().and_then(|it| field(it, "detectors"));
    let own = detectors.and_then(|(_, it)| field(it, detector));
    let known = own.and_then(|(_, it)| field(it, key));
    match (known, own, detectors) {
        (Some((line, _)), ..) => replace(&mut lines, line, key, value)?,
        (None, Some((line, _)), _) => {
            let flow = lines[line].split_once(&format!("{detector}:"));
            match flow.map(|(_, rest)| rest.trim_start()) {
                Some(rest) if rest.starts_with('{') => {
                    let empty = rest[1..].trim_start().starts_with('}');
                    let comma = if empty { "" } else { ", " };
                    lines[line] = lines[line].replacen('{', &format!("{{{key}: {value}{comma}"), 1);
                }
                Some(rest) if rest.is_empty() || rest.starts_with('#') => {
                    let indent = inner(&lines, line);
                    lines.insert(line + 1, format!("{indent}{key}: {value}"));
                }
                _ => return refuse(by_hand(line)),
            }
        }
        (None, None, Some((line, _))) => {
            let written = lines[line].trim_start().strip_prefix("detectors:");
            match written.map(str::trim_start) {
                Some(rest) if rest.is_empty() || rest.starts_with('#') => {
                    let indent = inner(&lines, line);
                    lines.insert(line + 1, format!("{indent}{detector}: {{{key}: {value}}}"));
                }
                Some(rest) if rest.starts_with('{') => {
                    let empty = rest[1..].trim_start().starts_with('}');
                    let comma = if empty { "" } else { ", " };
                    let new = format!("{{{detector}: {{{key}: {value}}}{comma}");
                    lines[line] = lines[line].replacen('{', &new, 1);
                }
                _ => return refuse(by_hand(line)),
            }
        }
        (None, None, None) => {
            lines.push("detectors:".into());
            lines.push(format!("  {detector}: {{{key}: {value}}}"));
        }
    }
    checked(lines, |policy| {
        let document = document_of(policy)?;
        let (_, detectors) = field(&document, "detectors")?;
        let (_, own) = field(detectors, detector)?;
        match &field(own, key)?.1.value {
            Value::Text(text) => Some(text == value),
            _ => None,
        }
    })
}

/// Puts another value behind a key, up to what ends it: a comment, a comma, a brace.
fn replace(lines: &mut [String], line: usize, key: &str, value: &str) -> Result<(), NotEdited> {
    let Some(text) = lines.get(line) else {
        return refuse(by_hand(line));
    };
    let found = text.match_indices(&format!("{key}:")).find(|(at, _)| {
        let before = text[..*at].chars().next_back();
        before.is_none_or(|it| it.is_whitespace() || it == '{' || it == ',')
    });
    let Some((at, _)) = found else {
        return refuse(by_hand(line));
    };
    let start = at + key.len() + 1;
    let rest = &text[start..];
    let end = rest.find([',', '}', '#']).unwrap_or(rest.len());
    let kept = rest[..end].trim_end().len();
    lines[line] = format!("{} {value}{}", &text[..start], &rest[kept..]);
    Ok(())
}

fn add(text: &str, exception: &NewException) -> Result<String, NotEdited> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let document = document(text)?;
    let there = document.as_ref().and_then(|it| field(it, "exceptions"));
    match there {
        None => {
            lines.push("exceptions:".into());
            lines.extend(written(exception, "")?);
        }
        Some((line, node)) => {
            let last = match &node.value {
                Value::List(items) => items.iter().map(|item| index(item.line)).next_back(),
                Value::Nothing => None,
                _ => return refuse(by_hand(line)),
            };
            let rest = lines[line].trim_start().trim_start_matches("exceptions:");
            let rest = rest.trim_start();
            if rest == "[]" {
                lines[line] = lines[line].replacen("[]", "", 1).trim_end().to_owned();
            } else if !rest.is_empty() && !rest.starts_with('#') {
                return refuse(by_hand(line));
            }
            let indent = match last.and_then(|it| dash(&lines, it)) {
                Some(at) => indent(&lines[at]),
                None => String::new(),
            };
            let at = match last {
                Some(last) => end(&lines, last, &indent),
                None => line + 1,
            };
            let new = written(exception, &indent)?;
            lines.splice(at..at, new);
        }
    }
    checked(lines, |policy| {
        let document = document_of(policy)?;
        let (_, exceptions) = field(&document, "exceptions")?;
        Some(named(exceptions, &exception.name).is_some())
    })
}

fn remove(text: &str, name: &str) -> Result<String, NotEdited> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let document = document(text)?;
    let there = document.as_ref().and_then(|it| field(it, "exceptions"));
    let item = there.and_then(|(_, node)| named(node, name));
    let (Some((line, node)), Some(item)) = (there, item) else {
        return refuse(format!("there is no exception `{name}`"));
    };
    let Some(start) = dash(&lines, index(item.line)) else {
        return refuse(by_hand(index(item.line)));
    };
    let indent = indent(&lines[start]);
    let end = end(&lines, start, &indent);
    lines.drain(start..end);
    if matches!(&node.value, Value::List(items) if items.len() == 1) {
        let rest = lines[line].trim_start().trim_start_matches("exceptions:");
        if !rest.trim_start().is_empty() && !rest.trim_start().starts_with('#') {
            return refuse(by_hand(line));
        }
        lines[line] = lines[line].replacen("exceptions:", "exceptions: []", 1);
    }
    checked(lines, |policy| {
        let document = document_of(policy)?;
        let there = field(&document, "exceptions");
        Some(there.and_then(|(_, node)| named(node, name)).is_none())
    })
}

/// A number, a duration, a word.
fn plain(value: &str) -> Result<(), NotEdited> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || it == ' ' || it == '.';
    if value.trim() == value
        && !value.is_empty()
        && value.len() <= 64
        && value.chars().all(is_plain)
    {
        return Ok(());
    }
    refuse(format!(
        "`{}` is no value of a setting",
        value.chars().take(64).collect::<String>()
    ))
}

fn named<'a>(exceptions: &'a Node, name: &str) -> Option<&'a Node> {
    let Value::List(items) = &exceptions.value else {
        return None;
    };
    items.iter().find(|item| {
        let value = field(item, "name").map(|(_, value)| &value.value);
        matches!(value, Some(Value::Text(text)) if text == name)
    })
}

fn index(line: u64) -> usize {
    usize::try_from(line)
        .unwrap_or(usize::MAX)
        .saturating_sub(1)
}

/// Where the item begins that has something in this line.
fn dash(lines: &[String], line: usize) -> Option<usize> {
    let is_dash = |at: &usize| {
        let text = lines[*at].trim_start();
        text == "-" || text.starts_with("- ")
    };
    (0..=line.min(lines.len().checked_sub(1)?))
        .rev()
        .find(is_dash)
}

/// The first line behind an item whose dash has this indent.
fn end(lines: &[String], start: usize, indent: &str) -> usize {
    let more = |text: &str| {
        let own = text.len() - text.trim_start().len();
        own > indent.len() && !text.trim().is_empty()
    };
    let rest = lines.iter().skip(start + 1);
    start + 1 + rest.take_while(|text| more(text)).count()
}

fn indent(line: &str) -> String {
    line[..line.len() - line.trim_start().len()].to_owned()
}

/// The indent of what stands below a line; two spaces more than its own when nothing does.
fn inner(lines: &[String], line: usize) -> String {
    let own = indent(&lines[line]);
    let mut below = lines.iter().skip(line + 1);
    let first = below.find(|it| !it.trim().is_empty() && !it.trim_start().starts_with('#'));
    let inner = first.map(|it| indent(it)).filter(|it| it.len() > own.len());
    inner.unwrap_or_else(|| format!("{own}  "))
}

fn by_hand(line: usize) -> String {
    format!(
        "line {} is written in a way that is changed by hand",
        line + 1
    )
}

fn document_of(text: &str) -> Option<Node> {
    document(text).ok().flatten()
}

/// The text, if it says what it is to say; what it says is read from it again.
fn checked(
    lines: Vec<String>,
    says: impl FnOnce(&str) -> Option<bool>,
) -> Result<String, NotEdited> {
    let text = lines.join("\n") + "\n";
    if says(&text) == Some(true) {
        return Ok(text);
    }
    refuse("the policy is written in a way that is changed by hand")
}

#[cfg(test)]
mod tests;
