//! `picket doctor`: what is wrong with any node, or worth knowing, and what to do about it.

mod examine;
mod text;

use std::{io, path::PathBuf, time::SystemTime};

use clap::Args;
use serde::Serialize;
use thiserror::Error;

use crate::{
    form::FormArguments,
    json,
    output::Output,
    palette::Palette,
    server::{Server, ServerError},
};

#[derive(Args, Debug)]
pub(crate) struct DoctorArguments {
    /// Only this node; may be repeated.
    #[arg(long, value_name = "NAME")]
    node: Vec<String>,

    /// Print what is well, too.
    #[arg(long, short)]
    all: bool,

    #[command(flatten)]
    form: FormArguments,
}

#[derive(Debug, Error)]
pub enum DoctorError {
    #[error("{0} check(s) failed; see above what to do")]
    Failed(usize),
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
}

#[derive(Serialize)]
struct Line<'a> {
    node: &'a str,
    #[serde(flatten)]
    finding: json::Finding<'a>,
}

pub(crate) async fn run(
    server: Result<Server, ServerError>,
    arguments: &DoctorArguments,
    certificate: Option<PathBuf>,
    now: SystemTime,
    output: &mut Output,
) -> Result<(), DoctorError> {
    let mut examined = Vec::new();
    examined.extend(examine::certificate(certificate.as_deref(), now));
    let listed = match server {
        Ok(server) => server.nodes().await,
        Err(error) => Err(error),
    };
    match listed {
        Ok(listed) => examined.extend(examine::cluster(&listed, now)),
        Err(error) => examined.push(examine::unreachable(&error)),
    }
    if !arguments.node.is_empty() {
        // What belongs to no node concerns all of them.
        examined.retain(|it| it.node.is_empty() || arguments.node.contains(&it.node));
    }
    let failed = examined.iter().filter(|it| it.is_failed()).count();
    let objects = examined.iter().map(|it| {
        let line = Line {
            node: &it.node,
            finding: json::Finding::new(&it.finding),
        };
        json::kind("finding", line)
    });
    let form = arguments.form.form();
    form.print(output, objects, || {
        text::lines(&examined, arguments.all, form, Palette::of_stdout())
    })?;
    if failed > 0 {
        return Err(DoctorError::Failed(failed));
    }
    Ok(())
}
