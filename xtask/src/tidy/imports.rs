//! Rule: the import table holds, in manifests and in code.

use super::{
    paths::mentions,
    rooms::{RESERVED, ROOMS, Reserved, Room},
    tree::{Fault, Tree},
};

pub(super) fn check(tree: &Tree) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (package, dependency) in &tree.dependencies {
        let path = format!("{package}/Cargo.toml");
        let Some(room) = ROOMS.iter().find(|room| room.name == package) else {
            faults.push(Fault::new(&path, 0, "is no room of the import table"));
            continue;
        };
        faults.extend(
            refusal(room, &dependency.replace('-', "_"))
                .or_else(|| reserved(dependency, |place| place.split('/').next() == Some(package)))
                .map(|message| Fault::new(&path, 0, message)),
        );
    }
    for file in tree.sources() {
        let Some(room) = ROOMS
            .iter()
            .find(|room| file.path.split('/').next() == Some(room.name))
        else {
            faults.push(Fault::new(
                &file.path,
                0,
                "lies in no room of the import table",
            ));
            continue;
        };
        for mention in mentions(&file.text) {
            let message = room
                .never
                .iter()
                .find(|never| mention.starts_with(never))
                .filter(|never| !is_test_of_core(&file.path, never))
                .map(|never| format!("{} must never name {never}", room.name))
                .or_else(|| reserved(&mention.segments[0], |place| file.path.starts_with(place)));
            faults.extend(message.map(|message| Fault::new(&file.path, mention.line, message)));
        }
    }
    faults
}

/// Whether `file` is a crate of tests of a room without `std`, which itself has one.
fn is_test_of_core(file: &str, never: &str) -> bool {
    never == "std" && file.split('/').nth(1) == Some("tests")
}

/// Why `room` may not depend on `dependency`, if so.
fn refusal(room: &Room, dependency: &str) -> Option<String> {
    let is_room = ROOMS
        .iter()
        .any(|other| other.name.replace('-', "_") == dependency);
    let is_allowed = room
        .may_import
        .iter()
        .any(|allowed| allowed.replace('-', "_") == dependency);
    if is_room && !is_allowed {
        return Some(format!(
            "{} may import {:?} of the rooms, not {dependency}",
            room.name, room.may_import
        ));
    }
    room.never
        .contains(&dependency)
        .then(|| format!("{} must never depend on {dependency}", room.name))
}

/// Why a place may not name `name`, if so; `is_here` tells whether a reserved place covers it.
fn reserved(name: &str, is_here: impl Fn(&str) -> bool) -> Option<String> {
    let name = name.replace('-', "_");
    let Reserved { places, .. } = RESERVED
        .iter()
        .find(|reserved| reserved.crates.contains(&name.as_str()))?;
    (!places.iter().any(|place| is_here(place)))
        .then(|| format!("only {} may name {name}", places.join(" and ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manifests_keep_the_table() {
        let cases = [
            ("agent", "detect", None),
            ("agent", "aya", None),
            ("agent", "collector", Some("not collector")),
            ("agent-common", "serde", Some("never depend on serde")),
            ("agent-ebpf", "aya-log-ebpf", None),
            ("agent-ebpf", "detect", Some("not detect")),
            ("cli", "agent", Some("not agent")),
            ("cli", "detect", Some("not detect")),
            ("collector", "agent-common", Some("not agent_common")),
            ("collector", "aya", Some("only agent/src/datapath")),
            ("collector", "prost-types", Some("only api/")),
            ("detect", "tokio", Some("never depend on tokio")),
            ("tests", "collector", None),
            ("xtask", "agent", Some("not agent")),
            ("stranger", "serde", Some("no room")),
        ];
        for (package, dependency, expected) in cases {
            let tree = Tree {
                files: Vec::new(),
                dependencies: vec![(package.into(), dependency.into())],
            };
            check_one(&tree, expected, &format!("{package} on {dependency}"));
        }
    }

    #[test]
    fn code_keeps_the_table() {
        let cases = [
            ("agent/src/datapath/maps.rs", "use aya::maps::Array;", None),
            (
                "agent/src/config.rs",
                "use aya::maps::Array;",
                Some("only agent/src/datapath"),
            ),
            (
                "agent/src/config.rs",
                "fn f() { aya_log::x() }",
                Some("only agent/src/datapath"),
            ),
            (
                "agent-common/src/slot.rs",
                "extern crate std;",
                Some("never name std"),
            ),
            ("agent-common/src/slot.rs", "use core::mem;", None),
            ("agent-common/tests/slot.rs", "use std::mem;", None),
            (
                "collector/src/store.rs",
                "fn f(m: prost::Bytes) {}",
                Some("only api/"),
            ),
            (
                "detect/src/time.rs",
                "use std::time::{Duration, Instant};",
                Some("Instant"),
            ),
            (
                "detect/src/time.rs",
                "use std::{fs, time::Duration};",
                Some("std::fs"),
            ),
            (
                "detect/src/time.rs",
                "use std::{net::IpAddr, time::Duration};",
                None,
            ),
            ("stray/src/lib.rs", "", Some("no room")),
        ];
        for (path, source, expected) in cases {
            check_one(&Tree::of(&[(path, source)]), expected, source);
        }
    }

    fn check_one(tree: &Tree, expected: Option<&str>, case: &str) {
        let faults = check(tree);
        match expected {
            None => assert_eq!(faults, [], "{case}"),
            Some(part) => {
                assert_eq!(faults.len(), 1, "{case}: {faults:?}");
                assert!(faults[0].message.contains(part), "{case}: {faults:?}");
            }
        }
    }
}
