//! Reads the files that the file of outputs names, and remembers what they said: when they say something else, the
//! outputs are set anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

use api::transport;

use crate::store::chain;

/// Longer than any bundle of certificates.
const LONGEST: u64 = 4 << 20;

/// Reads beside the file of outputs, unless a path is absolute.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    folder: &'a Path,
    said: Vec<(PathBuf, Said)>,
}

/// What a file said. It is compared, and never shown.
#[derive(Clone, Eq, PartialEq)]
pub(super) struct Said(String);

impl Said {
    pub(super) const fn of(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Said")
    }
}

impl<'a> Reader<'a> {
    pub(super) const fn new(folder: &'a Path) -> Self {
        Self {
            folder,
            said: Vec::new(),
        }
    }

    /// One word, which is never shown.
    pub(super) fn secret(&mut self, path: &Path) -> Result<String, String> {
        let path = self.folder.join(path);
        let secret = transport::token(&path).map_err(|error| chain(&error))?;
        self.said.push((path, Said(secret.clone())));
        Ok(secret)
    }

    /// A text that is no secret.
    pub(super) fn text(&mut self, path: &Path) -> Result<String, String> {
        let path = self.folder.join(path);
        let shown = path.display();
        let failed =
            |error| format!("cannot read {shown}: {error}; check the path and its permissions");
        if fs::metadata(&path).map_err(failed)?.len() > LONGEST {
            return Err(format!("{shown} is too large to be one"));
        }
        let text = fs::read_to_string(&path).map_err(failed)?;
        self.said.push((path, Said(text.clone())));
        Ok(text)
    }

    /// All of it.
    pub(super) fn said(self) -> Vec<(PathBuf, Said)> {
        self.said
    }
}
