//! `picket config show`: which policy is in force where.

use api::v1::{Node, PolicyStatus};
use clap::Args;
use serde::Serialize;

use super::failure::ConfigError;
use crate::{
    form::{Form, FormArguments},
    json,
    output::Output,
    palette::{BOLD, Palette, harmless},
    server::Server,
    table::table,
};

/// Of a revision, for people: as git shows of a commit.
const SHOWN: usize = 12;

#[derive(Serialize)]
struct Line<'a> {
    node: Option<&'a str>,
    policy: Option<json::Policy<'a>>,
}

#[derive(Args, Debug)]
pub(super) struct ShowArguments {
    /// Only of this node, with its exceptions.
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    #[command(flatten)]
    form: FormArguments,
}

pub(super) async fn run(
    server: &Server,
    arguments: &ShowArguments,
    output: &mut Output,
) -> Result<(), ConfigError> {
    let mut listed = server.nodes().await?;
    if let Some(name) = &arguments.node {
        listed.nodes.retain(|node| node.name == *name);
        if listed.nodes.is_empty() {
            return Err(server.knows_no_node(name).into());
        }
    }
    let told = listed.policy.as_ref();
    let collector = Line {
        node: None,
        policy: told.map(json::Policy::new),
    };
    let nodes = listed.nodes.iter().map(|node| Line {
        node: Some(&node.name),
        policy: of(node).map(json::Policy::new),
    });
    let nodes = nodes.map(|it| json::kind("node_policy", it));
    let objects = [json::kind("collector_policy", collector)]
        .into_iter()
        .chain(nodes);
    let form = arguments.form.form();
    let shown = match form {
        Form::Wide => usize::MAX,
        _ => SHOWN,
    };
    let exceptions = arguments.node.is_some() || form == Form::Wide;
    Ok(form.print(output, objects, || {
        text(told, &listed.nodes, exceptions, shown)
    })?)
}

fn of(node: &Node) -> Option<&PolicyStatus> {
    node.status.as_ref()?.policy.as_ref()
}

fn text(
    told: Option<&PolicyStatus>,
    nodes: &[Node],
    exceptions: bool,
    shown: usize,
) -> Vec<String> {
    let palette = Palette::of_stdout();
    let mut lines = Vec::new();
    match told {
        Some(told) if told.revision.is_empty() => {
            lines.push("The collector has no policy that can be used.".to_owned());
        }
        Some(told) => lines.push(format!(
            "The collector tells {} of {}.",
            short(&told.revision, shown),
            harmless(&told.name)
        )),
        None => lines.push(
            "No policy is told from here: each agent's own holds, or the last one told.".to_owned(),
        ),
    }
    if let Some(error) = told.map(|told| &told.error).filter(|it| !it.is_empty()) {
        lines.push(format!("It refused a newer one: {}", harmless(error)));
    }
    lines.push(String::new());
    let rows: Vec<_> = nodes.iter().map(|node| row(node, told, shown)).collect();
    lines.extend(table(["NODE", "IN FORCE", "STATE"], &rows, palette));
    for node in nodes.iter().filter(|_| exceptions) {
        let hits = of(node).map_or(&[][..], |policy| &policy.exceptions);
        let rows: Vec<_> = hits
            .iter()
            .map(|it| [it.name.clone(), it.hits.to_string()])
            .collect();
        if !rows.is_empty() {
            lines.push(String::new());
            lines.push(palette.paint(BOLD, &format!("{}: exceptions", node.name)));
            let table = table(["NAME", "HITS"], &rows, palette);
            lines.extend(table.iter().map(|line| format!("  {line}")));
        }
    }
    lines
}

fn row(node: &Node, told: Option<&PolicyStatus>, shown: usize) -> [String; 3] {
    let Some(policy) = of(node) else {
        let unknown = "it has not said".to_owned();
        return [node.name.clone(), "-".to_owned(), unknown];
    };
    let in_force = match &policy.revision[..] {
        "" => "its own".to_owned(),
        revision => short(revision, shown),
    };
    let newest = told.is_none_or(|told| told.revision == policy.revision);
    let state = match (&policy.error[..], newest) {
        ("", true) => "up to date".to_owned(),
        ("", false) => "not what the collector tells now".to_owned(),
        (error, _) => error.to_owned(),
    };
    [node.name.clone(), in_force, state]
}

fn short(revision: &str, shown: usize) -> String {
    revision.chars().take(shown).collect()
}
