//! The kustomize base, which is rendered from the chart, so that nothing is written twice.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result};

use super::{
    chart::{Chart, NAMESPACE},
    object::{Object, objects},
};
use crate::{command, tools::KUBECTL, workspace::Workspace};

const SOURCE: &str = "# Source: picket/templates/";
const BASE: &str = "kubernetes";

/// A folder of kustomize below `deploy`.
struct Folder {
    name: &'static str,
    /// With which values on top the chart makes the same.
    set: &'static [&'static str],
    /// Which of its templates are rendered there.
    templates: &'static [&'static str],
    /// It is applied beside the base, and has nothing of it.
    beside: bool,
}

const FOLDERS: [Folder; 4] = [
    Folder {
        name: "kubernetes-ephemeral",
        set: &["collector.database.persistence.enabled=false"],
        templates: &[],
        beside: false,
    },
    Folder {
        name: "kubernetes-uninstall",
        set: &["agent.detach=true"],
        // A patch.
        templates: &["agent.yaml"],
        beside: false,
    },
    Folder {
        name: "kubernetes-openshift",
        set: &[
            "openshift.enabled=true",
            "agent.seLinuxType=spc_t",
            "collector.user=null",
        ],
        templates: &["openshift.yaml"],
        beside: false,
    },
    Folder {
        name: "kubernetes-monitoring",
        set: &[
            "monitoring.monitors.enabled=true",
            "monitoring.rules.enabled=true",
            "monitoring.dashboards.enabled=true",
        ],
        templates: &["monitors.yaml", "rules.yaml", "dashboards.yaml"],
        beside: true,
    },
];

/// Writes what is rendered.
pub(super) fn update(chart: &Chart, workspace: &Workspace) -> Result<()> {
    for (path, text) in files(chart, workspace)? {
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

/// Files that are not as rendered, and folders that kustomize makes something else of than helm.
pub(super) fn faults(chart: &Chart, workspace: &Workspace) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for (path, text) in files(chart, workspace)? {
        if fs::read_to_string(&path).ok().as_ref() != Some(&text) {
            faults.push(format!(
                "{} is stale: run `cargo xtask manifests --update`",
                path.display()
            ));
        }
    }
    let deploy = workspace.root.join("deploy");
    let base = kustomize(&deploy.join(BASE))?;
    let mut folders = vec![(BASE, &[][..], base.clone())];
    for folder in FOLDERS {
        let mut kustomized = kustomize(&deploy.join(folder.name))?;
        if folder.beside {
            kustomized.extend(base.iter().cloned());
        }
        folders.push((folder.name, folder.set, kustomized));
    }
    for (name, set, kustomized) in folders {
        let rendered = workspace.target.join("manifests/kustomize").join(name);
        fs::create_dir_all(&rendered)?;
        let text = chart.render(&values(workspace), set)?;
        fs::write(rendered.join("all.yaml"), text)?;
        fs::write(
            rendered.join("kustomization.yaml"),
            "resources: [all.yaml]\n",
        )?;
        // Through kustomize too, which writes numbers and texts its own way.
        faults.extend(differences(name, &kustomized, &kustomize(&rendered)?));
    }
    Ok(faults)
}

fn values(workspace: &Workspace) -> PathBuf {
    workspace.root.join("deploy/kubernetes/values.yaml")
}

/// What is rendered, by path.
fn files(chart: &Chart, workspace: &Workspace) -> Result<BTreeMap<PathBuf, String>> {
    let values = values(workspace);
    let deploy = workspace.root.join("deploy");
    let mut files: BTreeMap<_, _> = split(&chart.render(&values, &[])?)
        .into_iter()
        .map(|(name, text)| (deploy.join(BASE).join(name), text))
        .collect();
    for folder in FOLDERS.iter().filter(|it| !it.templates.is_empty()) {
        let mut rendered = split(&chart.render(&values, folder.set)?);
        for name in folder.templates {
            let text = rendered.remove(*name);
            let text = text.with_context(|| format!("the chart makes no {name} any more"))?;
            files.insert(deploy.join(folder.name).join(name), text);
        }
    }
    Ok(files)
}

/// Of each template all documents, in their order.
fn split(rendered: &str) -> BTreeMap<String, String> {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for document in rendered.split("---\n").filter(|it| !it.is_empty()) {
        let Some((name, text)) = document
            .strip_prefix(SOURCE)
            .and_then(|it| it.split_once('\n'))
        else {
            continue;
        };
        let file = files
            .entry(name.into())
            .or_insert_with(|| format!("# Rendered from deploy/chart/picket/templates/{name}.\n"));
        if file.lines().count() > 1 {
            file.push_str("---\n");
        }
        file.push_str(text.trim_end());
        file.push('\n');
    }
    files
}

fn kustomize(folder: &Path) -> Result<Vec<Object>> {
    let mut kustomize = Command::new(KUBECTL.path()?);
    let text = command::read(
        kustomize.arg("kustomize").arg(folder),
        "correct its kustomization.yaml",
    )?;
    objects(&text).with_context(|| format!("cannot read what is made of {}", folder.display()))
}

fn differences(name: &str, kustomized: &[Object], rendered: &[Object]) -> Vec<String> {
    let by_id = |objects: &[Object]| -> BTreeMap<String, Object> {
        // helm makes the namespace of the release by a flag.
        let own = |it: &&Object| it.kind() != "Namespace" || it.name() != NAMESPACE;
        let objects = objects.iter().filter(own);
        objects.map(|it| (it.id(), it.clone())).collect()
    };
    let (kustomized, rendered) = (by_id(kustomized), by_id(rendered));
    let all = kustomized.keys().chain(rendered.keys());
    let mut ids: Vec<_> = all
        .filter(|id| kustomized.get(*id) != rendered.get(*id))
        .collect();
    ids.sort();
    ids.dedup();
    ids.into_iter()
        .map(|id| format!("deploy/{name}: {id} is not what the chart makes of it"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_one_template_share_a_file() {
        let rendered = "---\n# Source: picket/templates/a.yaml\nkind: A\n\n\
                        ---\n# Source: picket/templates/b.yaml\nkind: B\n\
                        ---\n# Source: picket/templates/a.yaml\nkind: C\n";
        let files = split(rendered);
        assert_eq!(files.len(), 2);
        assert_eq!(
            files["a.yaml"],
            "# Rendered from deploy/chart/picket/templates/a.yaml.\nkind: A\n---\nkind: C\n"
        );
    }

    #[test]
    fn an_object_that_differs_or_is_on_one_side_only_is_named() {
        let objects = |text| objects(text).unwrap();
        let one = objects("kind: A\nmetadata: {name: a}\n---\nkind: B\nmetadata: {name: b}\n");
        let other = objects(
            "kind: A\nmetadata: {name: a}\nspec: 1\n---\nkind: Namespace\nmetadata: {name: picket}\n",
        );
        assert_eq!(differences("x", &one, &one), Vec::<String>::new());
        let found = differences("x", &one, &other);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("A /a") && found[1].contains("B /b"));
    }
}
