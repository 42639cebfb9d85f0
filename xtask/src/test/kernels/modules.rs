//! The modules of a kernel that the lab needs, in the order in which they load.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context as _, Result, bail};

/// What pods and programs are attached with.
const NEEDED: [&str; 3] = ["veth", "sch_ingress", "cls_bpf"];

pub(super) struct Module {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// Those below `folder` with what they depend on, each after that. What is not there is built in.
pub(super) fn needed(folder: &Path) -> Result<Vec<Module>> {
    let mut files = BTreeMap::new();
    collect(folder, &mut files).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut order = Vec::new();
    for name in NEEDED {
        add(name, &files, &mut order)?;
    }
    Ok(order)
}

fn add(name: &str, files: &BTreeMap<String, PathBuf>, order: &mut Vec<Module>) -> Result<()> {
    let Some(file) = files.get(name) else {
        return Ok(());
    };
    if order.iter().any(|module| module.name == name) {
        return Ok(());
    }
    let content = read(file)?;
    for other in dependencies(&content) {
        add(&other, files, order)?;
    }
    order.push(Module {
        name: name.to_owned(),
        content,
    });
    Ok(())
}

fn collect(folder: &Path, files: &mut BTreeMap<String, PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            collect(&path, files)?;
        } else if let Some((name, _)) = entry.file_name().to_string_lossy().split_once(".ko") {
            files.insert(name.replace('-', "_"), path);
        }
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    let unpack = |program| {
        let output = Command::new(program)
            .args(["--decompress", "--stdout"])
            .arg(file)
            .output();
        let output =
            output.with_context(|| format!("cannot start {program}; run `cargo xtask setup`"))?;
        if !output.status.success() {
            bail!("{program} cannot decompress {}", file.display());
        }
        Ok(output.stdout)
    };
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("ko") => fs::read(file).with_context(|| format!("cannot read {}", file.display())),
        Some(packed @ ("xz" | "zstd" | "gzip")) => unpack(packed),
        Some("zst") => unpack("zstd"),
        Some("gz") => unpack("gzip"),
        _ => bail!(
            "{} is compressed in a way that is not known here",
            file.display()
        ),
    }
}

/// What a module says it depends on, in its section `.modinfo`.
fn dependencies(content: &[u8]) -> Vec<String> {
    const FIELD: &[u8] = b"\0depends=";
    let Some(at) = content.windows(FIELD.len()).position(|part| part == FIELD) else {
        return Vec::new();
    };
    let field = content[at + FIELD.len()..].split(|&byte| byte == 0).next();
    let names = String::from_utf8_lossy(field.unwrap_or_default()).replace('-', "_");
    names
        .split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_come_after_what_they_depend_on() {
        assert_eq!(
            dependencies(b"x\0depends=llc,nf-x\0intree=Y\0"),
            ["llc", "nf_x"]
        );
        assert_eq!(dependencies(b"x\0depends=\0intree=Y\0"), [""; 0]);
        assert_eq!(dependencies(b"x"), [""; 0]);
    }
}
