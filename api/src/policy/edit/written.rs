//! An exception as lines of a policy.

use super::refusal::{NotEdited, refuse};

/// An exception that is to be written.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct NewException {
    /// Tells it from the others.
    pub name: String,
    /// Who answers for it.
    pub owner: String,
    /// Why nobody is to be told.
    pub reason: String,
    /// Any, when there are none.
    pub detectors: Vec<String>,
    /// Any, when there are none.
    pub namespaces: Vec<String>,
    /// Pods' labels, each with its value.
    pub labels: Vec<(String, String)>,
    /// Addresses and networks; any, when there are none.
    pub targets: Vec<String>,
    /// As RFC 3339 has it; for ever, when it is empty.
    pub until: String,
}

pub(super) fn written(exception: &NewException, indent: &str) -> Result<Vec<String>, NotEdited> {
    let mut lines = Vec::new();
    let texts = [
        ("name", &exception.name),
        ("owner", &exception.owner),
        ("reason", &exception.reason),
        ("until", &exception.until),
    ];
    for (key, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
        lines.push(format!("{key}: {}", quoted(text)?));
    }
    let lists = [
        ("detectors", &exception.detectors),
        ("namespaces", &exception.namespaces),
        ("targets", &exception.targets),
    ];
    for (key, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        let items: Result<Vec<_>, _> = list.iter().map(|it| quoted(it)).collect();
        lines.push(format!("{key}: [{}]", items?.join(", ")));
    }
    if !exception.labels.is_empty() {
        let labels = exception.labels.iter();
        let labels: Result<Vec<_>, NotEdited> = labels
            .map(|(key, value)| Ok(format!("{}: {}", quoted(key)?, quoted(value)?)))
            .collect();
        lines.push(format!("labels: {{{}}}", labels?.join(", ")));
    }
    let lines = lines.into_iter().enumerate();
    let lines = lines.map(|(at, line)| {
        let mark = if at == 0 { "- " } else { "  " };
        format!("{indent}{mark}{line}")
    });
    Ok(lines.collect())
}

/// In quotes, so that nothing in it means anything (YAML 1.2, section 7.3.1).
fn quoted(text: &str) -> Result<String, NotEdited> {
    if text
        .chars()
        .any(|it| it.is_control() || matches!(it, '\u{85}' | '\u{2028}' | '\u{2029}'))
    {
        return refuse("an exception takes texts of one line");
    }
    let is_word = |it: char| it.is_ascii_alphabetic() || it == '-' || it == '_';
    if text.chars().all(is_word)
        && text.starts_with(|it: char| it.is_ascii_alphabetic())
        && text.len() > 5
    {
        return Ok(text.to_owned());
    }
    Ok(format!("'{}'", text.replace('\'', "''")))
}
