//! Findings for people: what failed first.

use api::v1::Verdict;

use super::examine::Examined;
use crate::{
    names,
    palette::{Palette, harmless},
    table::table,
};

pub(super) fn lines(examined: &[Examined], all: bool, palette: Palette) -> Vec<String> {
    let mut shown: Vec<_> = examined
        .iter()
        .filter(|it| all || it.finding.verdict() != Verdict::Ok)
        .collect();
    shown.sort_by_key(|it| match it.finding.verdict() {
        Verdict::Failed => 0,
        Verdict::Warning => 1,
        Verdict::Unspecified => 2,
        Verdict::Ok => 3,
    });
    let rows: Vec<_> = shown.iter().map(|it| row(it)).collect();
    let mut lines = Vec::new();
    if !rows.is_empty() {
        let heading = ["VERDICT", "NODE", "CHECK", "FOUND"];
        lines.extend(table(heading, &rows, palette));
    }
    let mut remedies: Vec<String> = Vec::new();
    for it in &shown {
        let remedy = format!("{}: {}", it.finding.check, it.finding.remedy);
        if !it.finding.remedy.is_empty() && !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    if !remedies.is_empty() {
        lines.extend([String::new(), "What to do:".to_owned()]);
        lines.extend(remedies.iter().map(|it| format!("  {}", harmless(it))));
    }
    if !lines.is_empty() {
        lines.push(String::new());
    }
    let count = |verdict| {
        let of_it = examined.iter().filter(|it| it.finding.verdict() == verdict);
        of_it.count()
    };
    lines.push(format!(
        "{} ok, {} warning(s), {} failed, {} unknown",
        count(Verdict::Ok),
        count(Verdict::Warning),
        count(Verdict::Failed),
        count(Verdict::Unspecified),
    ));
    lines
}

fn row(examined: &Examined) -> [String; 4] {
    let finding = &examined.finding;
    let node = match &examined.node[..] {
        "" => "-",
        node => node,
    };
    [
        names::verdict(finding.verdict()),
        node.to_owned(),
        finding.check.clone(),
        finding.found.clone(),
    ]
}
