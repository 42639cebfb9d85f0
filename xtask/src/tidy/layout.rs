//! Rule: what lies where, and how files are called.

use super::{
    rooms::{ROOMS, TOP},
    tree::{Fault, Tree},
};

/// Drawers: a file called so says nothing of what is in it.
const DRAWERS: [&str; 7] = [
    "common", "helper", "helpers", "misc", "types", "util", "utils",
];

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut stranger = "";
    for file in &tree.files {
        let top = file.path.split('/').next().unwrap_or_default();
        let is_known =
            top.starts_with('.') || TOP.contains(&top) || ROOMS.iter().any(|room| room.name == top);
        if !is_known && top != stranger {
            stranger = top;
            faults.push(Fault::new(top, 0, "has no place at the top level"));
        }
        if !file.path.ends_with(".rs") {
            continue;
        }
        let name = file.path.rsplit('/').next().unwrap_or_default();
        if name == "mod.rs" {
            faults.push(Fault::new(
                &file.path,
                0,
                "write `foo.rs` and `foo/`, not `mod.rs`",
            ));
        }
        for part in file.path.trim_end_matches(".rs").split('/') {
            if DRAWERS.contains(&part) {
                let message = format!("`{part}` is a drawer: name what it holds");
                faults.push(Fault::new(&file.path, 0, message));
            }
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_out_of_place_is_named() {
        let cases = [
            ("agent/src/drain.rs", None),
            ("agent-common/src/slot.rs", None),
            ("deploy/agent.Dockerfile", None),
            (".ci/run", None),
            ("docs/plan.md", Some("top level")),
            ("Makefile", Some("top level")),
            ("agent/src/drain/mod.rs", Some("mod.rs")),
            ("agent/src/utils.rs", Some("drawer")),
            ("agent/src/helpers/net.rs", Some("drawer")),
        ];
        for (path, expected) in cases {
            let faults = check(&Tree::of(&[(path, "")]));
            match expected {
                None => assert_eq!(faults, [], "{path}"),
                Some(part) => assert!(faults[0].message.contains(part), "{path}: {faults:?}"),
            }
        }
    }
}
