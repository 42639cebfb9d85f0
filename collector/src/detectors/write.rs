//! Where the policy is kept, and how another one gets there: a file, or a ConfigMap that is mounted as one.

use std::{
    fmt, fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    str::FromStr,
};

use api::policy::revision;
use k8s_openapi::api::core::v1 as core;
use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use serde::Deserialize;
use tokio::sync::mpsc;
use tonic::Status;

const CONFLICT: u16 = 409;

/// A ConfigMap that holds the policy.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
#[serde(try_from = "String")]
pub struct ConfigMap {
    namespace: String,
    name: String,
}

/// The text names none.
#[derive(Debug, thiserror::Error)]
#[error("`{0}` names no ConfigMap: write NAMESPACE/NAME, as in picket/picket-detectors")]
pub struct ConfigMapError(String);

impl TryFrom<String> for ConfigMap {
    type Error = ConfigMapError;

    fn try_from(text: String) -> Result<Self, ConfigMapError> {
        text.parse()
    }
}

impl FromStr for ConfigMap {
    type Err = ConfigMapError;

    fn from_str(text: &str) -> Result<Self, ConfigMapError> {
        let is_name = |it: &str| {
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c);
            !it.is_empty() && it.len() <= 253 && it.chars().all(plain)
        };
        match text.split_once('/') {
            Some((namespace, name)) if is_name(namespace) && is_name(name) => Ok(Self {
                namespace: namespace.into(),
                name: name.into(),
            }),
            _ => Err(ConfigMapError(text.into())),
        }
    }
}

impl fmt::Display for ConfigMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// Where the policy is kept.
pub(crate) struct Place {
    pub(crate) path: Option<PathBuf>,
    pub(crate) config_map: Option<(ConfigMap, Client)>,
    /// Puts a text in force at once that is written there.
    pub(crate) apply: mpsc::Sender<String>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Place {
    /// Why it cannot be written, for people.
    pub(crate) fn writable(&self) -> Result<(), String> {
        let Some(path) = &self.path else {
            return Err(
                "the collector has no --detectors FILE: each agent does what its own configuration says".into(),
            );
        };
        if self.config_map.is_some() {
            return Ok(());
        }
        let opened = fs::OpenOptions::new().write(true).open(path);
        opened.map(drop).map_err(|error| {
            format!(
                "the collector may not write {}: {error}; if it is a ConfigMap, give --detectors-config-map NAMESPACE/NAME",
                path.display()
            )
        })
    }

    /// Puts another text there, if what is there now is what it replaces.
    pub(super) async fn set(&self, text: &str, replaces: &str) -> Result<(), Status> {
        self.writable().map_err(Status::failed_precondition)?;
        let path = self.path.clone().unwrap_or_default();
        match &self.config_map {
            Some((map, client)) => patch(map, client, &path, text, replaces).await?,
            None => {
                let (text, replaces) = (text.to_owned(), replaces.to_owned());
                let written = tokio::task::spawn_blocking(move || write(&path, &text, &replaces));
                let gone = |_| Status::unavailable("the collector is shutting down");
                written.await.map_err(gone)??;
            }
        }
        // Who follows the file would find it too, somewhat later.
        drop(self.apply.send(text.to_owned()).await);
        Ok(())
    }
}

fn is_replaced(now: &str, replaces: &str) -> Result<(), Status> {
    if revision(now) == replaces {
        return Ok(());
    }
    Err(Status::aborted(
        "the policy is another one by now; look at it, and make your changes to that one",
    ))
}

/// Whoever reads the file meanwhile reads the one text or the other.
fn write(path: &Path, text: &str, replaces: &str) -> Result<(), Status> {
    let failed = |error: io::Error| {
        Status::failed_precondition(format!(
            "cannot write {}: {error}; check the permissions of the file and its directory",
            path.display()
        ))
    };
    let path = fs::canonicalize(path).map_err(failed)?;
    is_replaced(&fs::read_to_string(&path).map_err(failed)?, replaces)?;
    let mut beside = path.clone().into_os_string();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    let written = (|| {
        let mut file = fs::File::create(&beside)?;
        file.set_permissions(fs::metadata(&path)?.permissions())?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &path)
    })();
    written.map_err(|error| {
        // There may be none.
        drop(fs::remove_file(&beside));
        failed(error)
    })
}

/// The key is the name of the file that the map is mounted as.
async fn patch(
    map: &ConfigMap,
    client: &Client,
    path: &Path,
    text: &str,
    replaces: &str,
) -> Result<(), Status> {
    let failed = |error: kube::Error| match error {
        kube::Error::Api(status) if status.code == CONFLICT => Status::aborted(
            "the ConfigMap was changed at the same moment; look at the policy again",
        ),
        error => Status::failed_precondition(format!(
            "cannot change ConfigMap {map}: {error}; check --detectors-config-map, and that the collector's service account may get and patch it"
        )),
    };
    let api: Api<core::ConfigMap> = Api::namespaced(client.clone(), &map.namespace);
    let there = api.get(&map.name).await.map_err(failed)?;
    let key = path
        .file_name()
        .and_then(|it| it.to_str())
        .unwrap_or_default();
    let data = there.data.unwrap_or_default();
    let now = data.get(key).ok_or_else(|| {
        Status::failed_precondition(format!(
            "ConfigMap {map} has no key `{key}`, which --detectors names; check both"
        ))
    })?;
    is_replaced(now, replaces)?;
    let change = serde_json::json!({
        "metadata": {"resourceVersion": there.metadata.resource_version},
        "data": {key: text},
    });
    let (parameters, change) = (PatchParams::default(), Patch::Merge(change));
    let patched = api.patch(&map.name, &parameters, &change).await;
    patched.map(drop).map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_as_a_whole_and_only_by_who_has_seen_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("detectors.yaml");
        fs::write(&path, "silence: 1s\n").unwrap();
        let linked = folder.path().join("link.yaml");
        std::os::unix::fs::symlink(&path, &linked).unwrap();
        let seen = revision("silence: 1s\n");
        write(&linked, "silence: 2s\n", &seen).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "silence: 2s\n");
        assert!(fs::symlink_metadata(&linked).unwrap().is_symlink());
        let late = write(&linked, "silence: 3s\n", &seen).unwrap_err();
        assert_eq!(late.code(), tonic::Code::Aborted, "{late}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            2,
            "nothing is left beside it"
        );
        let missing = folder.path().join("missing.yaml");
        let missing = write(&missing, "", &seen).unwrap_err();
        assert!(missing.message().contains("missing.yaml"), "{missing}");
    }

    #[test]
    fn a_config_map_is_named_with_its_namespace() {
        let map: ConfigMap = "picket/detectors".parse().unwrap();
        assert_eq!(map.to_string(), "picket/detectors");
        for wrong in ["", "picket", "/a", "a/", "a/b/c", "A/b", "a/../b"] {
            let error = wrong.parse::<ConfigMap>().unwrap_err().to_string();
            assert!(error.contains("NAMESPACE/NAME"), "{error}");
        }
    }
}
