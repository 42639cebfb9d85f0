//! Rule: inside a crate no import comes back to where it set out, and none runs back up.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{
    modules::{Graph, Module, Modules},
    rooms::ROOMS,
    tree::{Fault, File, Tree},
};

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let sources: Vec<_> = tree.sources().collect();
    ROOMS
        .iter()
        .flat_map(|room| in_crate(&format!("{}/src/", room.name), &sources))
        .collect()
}

fn in_crate(folder: &str, sources: &[&File]) -> Vec<Fault> {
    let modules = Modules::of(folder, sources);
    let path = |module: &Module| {
        modules
            .file(module)
            .map_or(folder, |file| file.path.as_str())
    };
    let imports = modules.imports();
    let mut levels: BTreeMap<Module, Graph> = BTreeMap::new();
    let mut upward = BTreeSet::new();
    for (from, to) in imports
        .iter()
        .flat_map(|(from, to)| to.iter().map(move |to| (from, to)))
    {
        let shared = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let branch = |module: &Module| module[..module.len().min(shared + 1)].to_vec();
        if from.len() == shared {
            continue;
        }
        if to.len() == shared {
            if shortest(&imports, to, from).is_some() {
                upward.insert((from, to));
            }
            continue;
        }
        levels
            .entry(from[..shared].to_vec())
            .or_default()
            .entry(branch(from))
            .or_default()
            .insert(branch(to));
    }
    let upward = upward.into_iter().map(|(from, to)| {
        let message = format!(
            "imports back up from {}, which needs it: move what both need to a file of its own",
            name(to)
        );
        Fault::new(path(from), 0, message)
    });
    let circles = levels.values().flat_map(circles).map(|circle| {
        let names: Vec<_> = circle.iter().chain(&circle[..1]).map(name).collect();
        let message = format!("circle of imports: {}", names.join(" -> "));
        Fault::new(path(&circle[0]), 0, message)
    });
    circles.chain(upward).collect()
}

fn name(module: &Module) -> String {
    if module.is_empty() {
        "crate".into()
    } else {
        module.join("::")
    }
}

/// The shortest circle through each import, each circle once.
fn circles(graph: &Graph) -> Vec<Vec<Module>> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for (from, targets) in graph {
        for to in targets {
            let Some(back) = shortest(graph, to, from) else {
                continue;
            };
            if seen.insert(back.iter().cloned().collect::<BTreeSet<_>>()) {
                found.push(back);
            }
        }
    }
    found
}

fn shortest(graph: &Graph, from: &Module, to: &Module) -> Option<Vec<Module>> {
    let mut came_from: BTreeMap<&Module, Option<&Module>> = BTreeMap::from([(from, None)]);
    let mut queue = VecDeque::from([from]);
    while let Some(at) = queue.pop_front() {
        if at == to {
            let mut way = vec![at.clone()];
            let mut at = at;
            while let Some(Some(before)) = came_from.get(at) {
                way.push((*before).clone());
                at = before;
            }
            return Some(way.into_iter().rev().collect());
        }
        for next in graph.get(at).into_iter().flatten() {
            if !came_from.contains_key(next) {
                came_from.insert(next, Some(at));
                queue.push_back(next);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circles_are_caught() {
        type Files = &'static [(&'static str, &'static str)];
        let cases: [(Files, Option<&str>); 6] = [
            (
                &[
                    ("a", "use crate::b::B;"),
                    ("b", "use crate::c::C;"),
                    ("c", ""),
                ],
                None,
            ),
            (
                &[("a", "use crate::b::B;"), ("b", "fn f() { crate::a::g() }")],
                Some("a -> b -> a"),
            ),
            (
                &[
                    ("a", "use super::b::B;"),
                    ("b", "use super::c::C;"),
                    ("c", "use crate::a::A;"),
                ],
                Some("a -> b -> c -> a"),
            ),
            (
                &[
                    ("a/x", "use crate::b::y::Y;"),
                    ("a", ""),
                    ("b", ""),
                    ("b/y", ""),
                    ("b/z", "use crate::a::A;"),
                ],
                Some("a -> b -> a"),
            ),
            (
                &[
                    ("a", "mod x; use x::X; struct E;"),
                    ("a/x", "use super::E;"),
                ],
                Some(
                    "imports back up from a, which needs it: move what both need to a file of its own",
                ),
            ),
            (
                &[
                    ("a", "mod x; pub use x::X; struct E;"),
                    ("a/x", "use super::E;"),
                ],
                None,
            ),
        ];
        for (files, expected) in cases {
            let files: Vec<_> = files
                .iter()
                .map(|(name, text)| (format!("agent/src/{name}.rs"), *text))
                .chain([("agent/src/lib.rs".to_owned(), "mod a; mod b; mod c;")])
                .collect();
            let files: Vec<_> = files
                .iter()
                .map(|(path, text)| (path.as_str(), *text))
                .collect();
            let faults = check(&Tree::of(&files));
            match expected {
                None => assert_eq!(faults, [], "{files:?}"),
                Some(way) => {
                    assert_eq!(faults.len(), 1, "{files:?}: {faults:?}");
                    assert!(
                        faults[0].message == way || is_turn_of(&faults[0].message, way),
                        "{way}: {faults:?}"
                    );
                }
            }
        }
    }

    /// Whether `message` tells the circle `way`, wherever it starts.
    fn is_turn_of(message: &str, way: &str) -> bool {
        let names: Vec<_> = way.split(" -> ").skip(1).collect();
        (0..names.len()).any(|start| {
            let mut turn = names.clone();
            turn.rotate_left(start);
            turn.push(turn[0]);
            message.ends_with(&turn.join(" -> "))
        })
    }
}
