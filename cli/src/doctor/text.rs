//! Findings for people: what failed first.

use api::v1::Verdict;

use super::examine::Examined;
use crate::{
    form::Form,
    names,
    palette::{Palette, harmless},
    table::{dash, table},
};

pub(super) fn lines(examined: &[Examined], all: bool, form: Form, palette: Palette) -> Vec<String> {
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
    if !rows.is_empty() && form == Form::Wide {
        let rows: Vec<_> = rows
            .into_iter()
            .zip(&shown)
            .map(|([verdict, node, check, found], it)| {
                [verdict, node, check, found, dash(it.finding.remedy.clone())]
            })
            .collect();
        let heading = ["VERDICT", "NODE", "CHECK", "FOUND", "WHAT TO DO"];
        lines.extend(table(heading, &rows, palette));
    } else if !rows.is_empty() {
        let heading = ["VERDICT", "NODE", "CHECK", "FOUND"];
        lines.extend(table(heading, &rows, palette));
    }
    let mut remedies: Vec<String> = Vec::new();
    for it in shown.iter().filter(|_| form != Form::Wide) {
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
