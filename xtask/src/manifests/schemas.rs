//! Rule: every object is valid for each Kubernetes from the oldest that is supported to the newest.

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};

use super::custom;
use crate::tools::KUBERNETES_VALIDATE;

const VERSIONS: [&str; 3] = ["1.27", "1.32", "1.37"];
/// What it says of kinds that Kubernetes itself does not have.
const UNKNOWN: &str = "Couldn't find schema for kind ";

pub(super) fn faults(files: &[&Path]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    for version in VERSIONS {
        let output = Command::new(KUBERNETES_VALIDATE.path()?)
            .args(["--strict", "-k", version])
            .args(files)
            .output()
            .context("cannot start kubernetes-validate; run `cargo xtask setup --lint`")?;
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        let (valid, found) = judged(&said);
        ensure!(
            valid > files.len() && (output.status.success() || !found.is_empty()),
            "kubernetes-validate {version} says little of {} files:\n{said}",
            files.len()
        );
        faults.extend(found);
    }
    Ok(faults)
}

/// How many objects are valid, and what is wrong with the others.
fn judged(said: &str) -> (usize, Vec<String>) {
    let mut valid = 0;
    let mut faults = Vec::new();
    for line in said.lines() {
        if line.starts_with("INFO ") && line.contains(" passed for resource ") {
            valid += 1;
            continue;
        }
        let kind = line.split_once(UNKNOWN).map(|(_, rest)| rest);
        let kind = kind.and_then(|rest| rest.split(' ').next());
        // These are checked by our own tables.
        if !kind.is_some_and(custom::is_known) {
            faults.push(line.to_owned());
        }
    }
    (valid, faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_without_a_schema_is_a_fault_unless_we_have_one() {
        let said = "INFO a.yaml passed for resource pod/a against version 1.27\n\
             WARN a.yaml Couldn't find schema for kind PodMonitor with api version monitoring.coreos.com/v1 for kubernetes version 1.27\n\
             WARN a.yaml Couldn't find schema for kind Gateway with api version x/v1 for kubernetes version 1.27\n\
             ERROR a.yaml did not validate for resource configmap/a\n";
        let (valid, faults) = judged(said);
        assert_eq!(valid, 1);
        assert_eq!(faults.len(), 2, "{faults:?}");
        assert!(faults[0].contains("Gateway") && faults[1].contains("ERROR"));
    }
}
