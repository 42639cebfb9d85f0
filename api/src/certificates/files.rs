//! The files of an authority, as text.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

use super::error::CertificateError;

pub(super) fn read(path: &Path) -> Result<String, CertificateError> {
    fs::read_to_string(path).map_err(|source| CertificateError::Read {
        path: path.into(),
        source,
    })
}

pub(super) fn write_error(path: &Path, source: io::Error) -> CertificateError {
    CertificateError::Write {
        path: path.into(),
        source,
    }
}

/// In one step: who reads it while it is replaced sees the old one or the new one.
pub(super) fn write(path: &Path, text: &str, mode: u32) -> Result<(), CertificateError> {
    let draft = path.with_extension("new");
    let written = || -> io::Result<()> {
        drop(fs::remove_file(&draft));
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&draft)?;
        file.write_all(text.as_bytes())?;
        fs::rename(&draft, path)
    };
    written().map_err(|source| write_error(path, source))
}
