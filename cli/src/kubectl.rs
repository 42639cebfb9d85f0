//! The way to a collector in a cluster: `kubectl port-forward`, for as long as this program runs.

mod forward;
mod service;

use std::{ffi::OsStr, path::Path};

pub(crate) use self::{
    forward::{Forward, KubectlError},
    service::{Forwarded, Service},
};

/// As what kubectl finds a plugin that it calls by `kubectl picket`.
const PLUGIN: &str = "kubectl-picket";

/// Whether the program is called as a plugin.
pub(crate) fn is_plugin(program: Option<&OsStr>) -> bool {
    let name = program.map(Path::new).and_then(Path::file_name);
    name == Some(OsStr::new(PLUGIN))
}
