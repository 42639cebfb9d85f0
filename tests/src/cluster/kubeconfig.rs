//! Who asks the API server, and the files that say so.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use serde_json::json;

use super::addresses;

pub(super) const ADMIN: &str = "admin";
pub(super) const CONTROLLERS: &str = "system:kube-controller-manager";
pub(super) const SCHEDULER: &str = "system:kube-scheduler";
pub(super) const PROXY: &str = "system:kube-proxy";
/// Who may do everything.
const MASTERS: &str = "system:masters";

/// As the API server knows a kubelet.
pub(super) fn kubelet(node: &str) -> String {
    format!("system:node:{node}")
}

/// Writes all of them, and the list of their tokens; returns where that is. A token is its owner's name: nobody
/// else can reach this API server.
pub(super) fn write(directory: &Path, nodes: impl Iterator<Item = String>) -> Result<PathBuf> {
    let mut tokens = String::new();
    let everybody = [
        (ADMIN, MASTERS),
        (CONTROLLERS, MASTERS),
        (SCHEDULER, ""),
        (PROXY, ""),
    ]
    .map(|(user, group)| (user.to_owned(), group));
    let kubelets = nodes.map(|node| (kubelet(&node), "system:nodes"));
    for (user, group) in everybody.into_iter().chain(kubelets) {
        tokens += &format!("{user},{user},{user},{group}\n");
        let config = json!({
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "lab",
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
            "clusters": [{"name": "lab", "cluster": {
                "server": format!("https://{}:6443", addresses::CONTROL),
                "certificate-authority": directory.join("pki/ca.crt"),
            }}],
            "users": [{"name": "lab", "user": {"token": user}}],
        });
        fs::write(path(directory, &user), config.to_string())?;
    }
    let place = directory.join("tokens.csv");
    fs::write(&place, tokens)?;
    Ok(place)
}

/// Where that of `user` is.
pub(super) fn path(directory: &Path, user: &str) -> PathBuf {
    directory.join(format!("{}.kubeconfig", user.replace(':', "-")))
}
