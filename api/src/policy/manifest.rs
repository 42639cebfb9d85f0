//! A file that people hand in: a policy itself, or a ConfigMap with policies in it.

use super::{
    AGENT_KEYS, KEYS, Policy, Time,
    refused::{Problem, Refused},
    tree::{self, Node, Value},
};

/// What is in the file, each document by its name, and whether it can be used.
#[must_use]
pub fn validate(name: &str, text: &str, time: Time) -> Vec<(String, Result<Policy, Refused>)> {
    let refused = |problem| {
        let problems = vec![problem];
        let name = name.to_owned();
        vec![(name.clone(), Err(Refused { name, problems }))]
    };
    let documents = match tree::documents(text) {
        Ok(documents) => documents,
        Err(problem) => return refused(problem),
    };
    let manifest = |node: &&Node| field(node, "kind").is_some();
    if !documents.iter().any(|document| manifest(&document)) {
        return vec![(name.to_owned(), Policy::read(name, text, time, AGENT_KEYS))];
    }
    let maps = documents.iter().filter(|document| {
        field(document, "kind")
            .is_some_and(|kind| matches!(&kind.value, Value::Text(kind) if kind == "ConfigMap"))
    });
    let found: Vec<_> = maps
        .flat_map(|map| of_config_map(name, text, map, time))
        .collect();
    if found.is_empty() {
        return refused(Problem::at(
            0,
            format_args!(
                "no ConfigMap here holds a policy: in a key of its `data`, a document with {}",
                KEYS.join(", ")
            ),
        ));
    }
    found
}

type Judged = (String, Result<Policy, Refused>);

fn of_config_map(name: &str, file: &str, map: &Node, time: Time) -> Vec<Judged> {
    let data = field(map, "data").map(|data| &data.value);
    let Some(Value::Map(entries)) = data else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for (key, node) in entries {
        let Value::Text(text) = &node.value else {
            continue;
        };
        if entries.len() > 1 && !is_policy(text) {
            continue;
        }
        let read = Policy::read(name, text, time, AGENT_KEYS);
        let read = read.map_err(|mut refused| {
            for problem in &mut refused.problems {
                problem.line = outer(file, node.line, text, problem.line);
            }
            refused
        });
        found.push((format!("{name} {}", key.text), read));
    }
    found
}

/// Whether a document is one; who cannot tell says so, for then it must be corrected anyway.
fn is_policy(text: &str) -> bool {
    tree::documents(text).map_or(true, |documents| {
        documents
            .iter()
            .any(|document| KEYS.iter().any(|key| field(document, key).is_some()))
    })
}

/// The line of the file, when the document stands in it as a block: `line` of the document, which begins at
/// `start`.
fn outer(file: &str, start: u64, text: &str, line: u64) -> u64 {
    let index = usize::try_from(start).unwrap_or(usize::MAX);
    let written = file.lines().nth(index.saturating_sub(1)).map(str::trim);
    if line > 0 && written == text.lines().next().map(str::trim) {
        return start + line - 1;
    }
    start
}

fn field<'a>(node: &'a Node, key: &str) -> Option<&'a Node> {
    let Value::Map(entries) = &node.value else {
        return None;
    };
    let entry = entries.iter().find(|(it, _)| it.text == key);
    entry.map(|(_, value)| value)
}
