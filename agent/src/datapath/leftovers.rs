//! Removes what agents have left on the node: all that is pinned, and filters that run what is pinned.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use super::{
    filters,
    pins::{self, Part, Pin, PinsError},
    takeover::program_ids,
};

/// What was removed of one layout.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Removed {
    /// The directory that held it.
    pub directory: PathBuf,
    /// tcx links.
    pub links: usize,
    /// Filters on clsact.
    pub filters: usize,
    /// Programs.
    pub programs: usize,
    /// Maps.
    pub maps: usize,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            directory,
            links,
            filters,
            programs,
            maps,
        } = self;
        write!(
            f,
            "removed {links} links, {filters} filters, {programs} programs and {maps} maps of {}",
            directory.display()
        )
    }
}

/// Removes all that agents have left in this network namespace, whatever their version.
///
/// # Errors
///
/// When an agent runs, or the kernel refuses; what was removed until then stays so.
pub fn detach(pin: &Pin) -> Result<Vec<Removed>, PinsError> {
    let root = match pin {
        Pin::Nowhere => return Ok(Vec::new()),
        Pin::IfPossible(root) | Pin::At(root) => root,
    };
    let lock = match pins::lock(root) {
        Err(PinsError::NotBpffs { .. }) if matches!(pin, Pin::IfPossible(_)) => {
            return Ok(Vec::new());
        }
        lock => lock?,
    };
    let versions = pins::versions(root);
    let removed = versions.iter().map(|it| remove_version(it)).collect();
    drop(lock);
    // Others may have put something there; then it stays.
    fs::remove_dir(root).ok();
    removed
}

/// Removes all that an agent of one layout has left.
pub(super) fn remove_version(directory: &Path) -> Result<Removed, PinsError> {
    let of = |part: Part| pins::entries(&directory.join(part.name()));
    let [links, programs, maps] = [Part::Links, Part::Programs, Part::Maps].map(of);
    let filters = filters::remove_all(&program_ids(&programs)).map_err(pins::refused(
        "remove the filters that run the programs of",
        directory,
    ))?;
    for path in [&links, &programs, &maps].into_iter().flatten() {
        pins::remove(path)?;
    }
    fs::remove_dir_all(directory).map_err(pins::refused("remove the directory", directory))?;
    Ok(Removed {
        directory: directory.into(),
        links: links.len(),
        filters,
        programs: programs.len(),
        maps: maps.len(),
    })
}
