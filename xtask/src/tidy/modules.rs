//! The modules of one crate, and which of them names which.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    paths::{Kind, Mention, mentions},
    tree::File,
};

/// Names from the root of the crate down; empty for the root.
pub(super) type Module = Vec<String>;

/// The modules that each module names.
pub(super) type Graph = BTreeMap<Module, BTreeSet<Module>>;

/// Re-exports of re-exports that are followed.
const HOPS: usize = 8;

pub(super) struct Modules<'a> {
    files: BTreeMap<Module, (&'a File, Vec<Mention>)>,
}

impl<'a> Modules<'a> {
    /// The modules below `folder`, such as `agent/src/`, from its `lib.rs` or else `main.rs` down.
    pub(super) fn of(folder: &str, sources: &[&'a File]) -> Self {
        let inner = |file: &'a File| file.path.strip_prefix(folder)?.strip_suffix(".rs");
        let has_lib = sources.iter().any(|file| inner(file) == Some("lib"));
        let mut files = BTreeMap::new();
        for file in sources {
            let module: Module = match inner(file) {
                None => continue,
                Some("lib") => Vec::new(),
                Some("main") if !has_lib => Vec::new(),
                Some("main") => continue,
                Some(inner) if inner.starts_with("bin/") => continue,
                Some(inner) => inner.split('/').map(str::to_owned).collect(),
            };
            if module.last().is_some_and(|name| name == "tests") {
                continue;
            }
            files.insert(module, (*file, mentions(&file.text)));
        }
        Self { files }
    }

    pub(super) fn file(&self, module: &Module) -> Option<&'a File> {
        self.files.get(module).map(|(file, _)| *file)
    }

    /// What each module names of this crate; re-exports, tests and itself do not count.
    pub(super) fn imports(&self) -> Graph {
        let mut found = Graph::new();
        for (from, (_, mentions)) in &self.files {
            for mention in mentions {
                if mention.kind == Kind::PublicUse || mention.is_in_tests() {
                    continue;
                }
                if let Some(to) = self.target(from, mention, HOPS)
                    && to != *from
                {
                    found.entry(from.clone()).or_default().insert(to);
                }
            }
        }
        found
    }

    /// The module in which what `mention` names is defined, if that is in this crate.
    fn target(&self, from: &Module, mention: &Mention, hops: usize) -> Option<Module> {
        let mut at: Module = from.iter().chain(&mention.inside).cloned().collect();
        let mut segments = mention.segments.as_slice();
        let first = segments.first()?.as_str();
        match first {
            "crate" => at.clear(),
            "self" | "super" => {}
            _ => {
                at.truncate(from.len());
                let child: Module = from.iter().chain(&segments[..1]).cloned().collect();
                if !self.files.contains_key(&child) {
                    return None;
                }
            }
        }
        while let Some((segment, rest)) = segments.split_first() {
            match segment.as_str() {
                "crate" | "self" => {}
                "super" => {
                    at.pop()?;
                }
                _ => {
                    let child: Module = at.iter().chain([segment]).cloned().collect();
                    if !self.files.contains_key(&child) {
                        return self
                            .reexported(&at, segment, hops)
                            .or_else(|| self.nearest(at));
                    }
                    at = child;
                }
            }
            segments = rest;
        }
        self.nearest(at)
    }

    /// Where the item comes from that `module` hands on as `name`.
    fn reexported(&self, module: &Module, name: &str, hops: usize) -> Option<Module> {
        let (_, mentions) = self.files.get(module)?;
        let mention = mentions.iter().find(|mention| {
            mention.kind == Kind::PublicUse
                && mention.inside.is_empty()
                && mention.segments.last().is_some_and(|last| last == name)
        })?;
        self.target(module, mention, hops.checked_sub(1)?)
    }

    /// The file that an inline module lies in.
    fn nearest(&self, mut module: Module) -> Option<Module> {
        while !self.files.contains_key(&module) {
            module.pop()?;
        }
        Some(module)
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tree::Tree, *};

    #[test]
    fn imports_lead_to_where_the_item_is_defined() {
        let tree = Tree::of(&[
            ("x/src/lib.rs", "mod a; mod b; pub use a::{A, part::Part};"),
            (
                "x/src/a.rs",
                "mod part; pub use part::Part; pub struct A; fn f() { part::g() }",
            ),
            (
                "x/src/a/part.rs",
                "use super::A; mod deep { use super::super::A; } use std::fmt;",
            ),
            (
                "x/src/b.rs",
                "use crate::{A, Part}; mod tests { use crate::c::C; }",
            ),
            ("x/src/c.rs", "use crate::b::*;"),
            ("x/src/bin/tool.rs", "use crate::b::B;"),
        ]);
        let sources: Vec<_> = tree.sources().collect();
        let found: Vec<_> = Modules::of("x/src/", &sources)
            .imports()
            .into_iter()
            .map(|(from, to)| (from.join("::"), to.into_iter().map(|to| to.join("::"))))
            .flat_map(|(from, to)| to.map(move |to| format!("{from} {to}")))
            .collect();
        assert_eq!(found, ["a a::part", "a::part a", "b a", "b a::part", "c b"]);
    }
}
