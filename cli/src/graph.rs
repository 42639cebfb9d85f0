//! `picket graph`: who talks to whom, and where it burns.

use api::{json, v1};
use clap::{Args, ValueEnum};

use crate::{
    form::{AnswerError, Form, FormArguments},
    names,
    output::Output,
    palette::Palette,
    server::Server,
    table::{dash, table},
    time,
};

#[derive(Args, Debug)]
pub(crate) struct GraphArguments {
    /// Only this namespace, and what it talks to; may be repeated.
    #[arg(long, short, value_name = "NAME")]
    namespace: Vec<String>,

    /// A vertex for each of these.
    #[arg(long, value_name = "DETAIL", default_value = "workloads")]
    detail: Detail,

    #[command(flatten)]
    form: FormArguments,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Detail {
    Namespaces,
    Workloads,
    Pods,
}

pub(crate) async fn run(
    server: &Server,
    arguments: GraphArguments,
    output: &mut Output,
) -> Result<(), AnswerError> {
    let detail = match arguments.detail {
        Detail::Namespaces => v1::Detail::Namespaces,
        Detail::Workloads => v1::Detail::Workloads,
        Detail::Pods => v1::Detail::Pods,
    };
    let request = v1::GetGraphRequest {
        namespaces: arguments.namespace,
        detail: detail.into(),
    };
    let graph = server.graph(request).await?;
    let form = arguments.form.form();
    Ok(form.print(output, [json::Graph::new(&graph)], || {
        lines(&graph, form, Palette::of_stdout())
    })?)
}

fn lines(graph: &v1::GetGraphResponse, form: Form, palette: Palette) -> Vec<String> {
    if graph.links.is_empty() {
        return vec!["No agent saw anybody talk to anybody of late.".to_owned()];
    }
    let rows: Vec<_> = graph.links.iter().map(row).collect();
    let mut lines = table(["FROM", "TO", "PORTS", "LAST SEEN", "OPEN"], &rows, palette);
    if graph.left_out_links > 0 {
        let left_out = graph.left_out_links;
        lines.push(format!(
            "and {left_out} more; --namespace shows those of one"
        ));
    }
    if form == Form::Wide {
        let rows: Vec<_> = graph.vertices.iter().map(vertex).collect();
        let heading = [
            "VERTEX",
            "KIND",
            "OWNER",
            "PODS",
            "COVERED",
            "CONTAINED",
            "SOURCE OF",
            "TARGET OF",
        ];
        lines.push(String::new());
        lines.extend(table(heading, &rows, palette));
    }
    lines
}

fn vertex(vertex: &v1::Vertex) -> [String; 8] {
    [
        vertex.id.clone(),
        api::names::vertex(vertex.kind()),
        dash(vertex.owner_kind.clone()),
        vertex.pods.to_string(),
        vertex.covered_pods.to_string(),
        vertex.contained_pods.to_string(),
        dash(burning(vertex.source_of.as_ref())),
        dash(burning(vertex.target_of.as_ref())),
    ]
}

fn burning(burning: Option<&v1::Burning>) -> String {
    burning.map_or_else(String::new, |it| {
        format!("{} {}", it.open, names::severity(it.severity()))
    })
}

fn row(link: &v1::Link) -> [String; 5] {
    let mut ports: Vec<_> = link
        .ports
        .iter()
        .map(|it| {
            let declared = if it.declared { "" } else { "?" };
            format!(
                "{}/{}{declared}",
                api::names::transport(it.transport()),
                it.port
            )
        })
        .collect();
    if link.further_ports > 0 {
        ports.push(format!("and {} more", link.further_ports));
    }
    [
        link.source.clone(),
        link.destination.clone(),
        ports.join(","),
        time::short(link.last_seen),
        burning(link.burning.as_ref()),
    ]
}
