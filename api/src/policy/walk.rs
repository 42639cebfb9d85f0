//! Steps through a document, and notes what is of another kind than it must be.

use std::fmt;

use super::{
    refused::Problem,
    tree::{Key, Node, Value},
};

/// What has been found wrong so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, line: u64, reason: impl fmt::Display) {
        self.0.push(Problem::at(line, reason));
    }

    pub(super) fn in_order(mut self) -> Vec<Problem> {
        self.0.sort_by_key(|problem| problem.line);
        self.0
    }

    /// The entries of a mapping; none of what is left empty.
    pub(super) fn map<'a>(&mut self, path: &str, node: &'a Node) -> &'a [(Key, Node)] {
        match &node.value {
            Value::Map(entries) => entries,
            Value::Nothing => &[],
            _ => {
                self.add(
                    node.line,
                    format_args!("{path} takes keys with values, as in `key: value`"),
                );
                &[]
            }
        }
    }

    /// The items of a list; none of what is left empty.
    pub(super) fn list<'a>(&mut self, path: &str, node: &'a Node) -> &'a [Node] {
        match &node.value {
            Value::List(items) => items,
            Value::Nothing => &[],
            _ => {
                self.add(
                    node.line,
                    format_args!("{path} takes a list, as in `[a, b]`"),
                );
                &[]
            }
        }
    }

    /// The text of a value that is one.
    pub(super) fn text<'a>(&mut self, path: &str, node: &'a Node) -> Option<&'a str> {
        if let Value::Text(text) = &node.value
            && !text.is_empty()
        {
            return Some(text);
        }
        self.add(node.line, format_args!("{path} takes one value"));
        None
    }

    /// The texts of a list of them.
    pub(super) fn texts(&mut self, path: &str, node: &Node) -> Vec<String> {
        let mut texts = Vec::new();
        for item in self.list(path, node) {
            texts.extend(self.text(path, item).map(str::to_owned));
        }
        texts
    }

    /// What `read` makes of the value.
    pub(super) fn value<T, E: fmt::Display>(
        &mut self,
        path: &str,
        node: &Node,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.text(path, node)?;
        let refuse = |reason| self.add(node.line, format_args!("{path} = `{text}`: {reason}"));
        read(text).map_err(refuse).ok()
    }

    pub(super) fn unknown(&mut self, path: &str, key: &Key, known: &[&str]) {
        let dot = if path.is_empty() { "" } else { "." };
        self.add(
            key.line,
            format_args!(
                "{path}{dot}{}: there is no such key; there are {}",
                key.text,
                known.join(", ")
            ),
        );
    }
}
