//! Lines in a file, or on standard output. Another program may take the file away at any time.

use std::{
    fs::{self, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use serde::Deserialize;

use super::{
    entry,
    refusal::{Reason, Refusal, Sent},
};
use crate::{forms::Form, store::Entry};

/// What stands for standard output.
const STDOUT: &str = "-";

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    path: PathBuf,
    form: Option<Form>,
}

#[derive(Debug)]
pub(super) struct File {
    path: PathBuf,
    form: Form,
    open: Option<fs::File>,
}

impl File {
    pub(super) fn new(settings: Settings) -> Self {
        Self {
            path: settings.path,
            form: settings.form.unwrap_or(Form::Json),
            open: None,
        }
    }

    /// On disk when it returns, if it is a file.
    pub(super) async fn send(&mut self, entries: &[&Entry]) -> Sent {
        let mut lines = String::new();
        for entry in entries {
            let line = entry::text(self.form, entry);
            lines += &line.map_err(|why| Refusal::never(Reason::Form, why))?;
            lines.push('\n');
        }
        let (path, open) = (self.path.clone(), self.open.take());
        let written = tokio::task::spawn_blocking(move || write(&path, open, lines.as_bytes()));
        match written.await {
            Ok(Ok(open)) => {
                self.open = open;
                Ok(0)
            }
            Ok(Err(error)) => Err(Refusal::later(format!(
                "cannot write to {}: {error}",
                self.path.display()
            ))),
            Err(_) => Err(Refusal::later("the collector is shutting down")),
        }
    }
}

fn write(path: &Path, open: Option<fs::File>, lines: &[u8]) -> io::Result<Option<fs::File>> {
    if path == Path::new(STDOUT) {
        let mut stdout = io::stdout().lock();
        stdout.write_all(lines)?;
        stdout.flush()?;
        return Ok(None);
    }
    let mut file = match open.filter(|it| is_at(it, path)) {
        Some(file) => file,
        None => reopen(path)?,
    };
    // After an error it is opened anew, and what was cut is ended there.
    file.write_all(lines)?;
    file.sync_data()?;
    Ok(Some(file))
}

fn is_at(file: &fs::File, path: &Path) -> bool {
    let (Ok(ours), Ok(there)) = (file.metadata(), fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// A line that a crash or a full disk cut is ended, so that the next one is whole.
fn reopen(path: &Path) -> io::Result<fs::File> {
    let mut options = OpenOptions::new();
    let mut file = options.read(true).append(true).create(true).open(path)?;
    if file.metadata()?.is_file() && file.seek(SeekFrom::End(0))? > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            file.write_all(b"\n")?;
        }
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::sample;

    #[tokio::test]
    async fn a_file_that_is_taken_away_is_opened_anew_and_a_cut_line_is_ended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("events.json");
        fs::write(&path, "{\"cut").unwrap();
        let mut file = File::new(Settings {
            path: path.clone(),
            form: None,
        });
        let (event, gap) = (sample::event(), sample::gap());
        assert_eq!(file.send(&[&event, &gap]).await, Ok(0));
        let lines = fs::read_to_string(&path).unwrap();
        assert_eq!(lines.lines().count(), 3, "{lines}");
        assert!(lines.starts_with("{\"cut\n") && lines.ends_with('\n'));
        fs::rename(&path, folder.path().join("events.json.1")).unwrap();
        assert_eq!(file.send(&[&event]).await, Ok(0));
        let fresh = fs::read_to_string(&path).unwrap();
        assert_eq!(fresh.lines().count(), 1, "{fresh}");
        let missing = folder.path().join("nowhere/events.json");
        let mut file = File::new(Settings {
            path: missing,
            form: None,
        });
        let refused = file.send(&[&event]).await.unwrap_err();
        assert!(matches!(refused, Refusal::Later { .. }), "{refused:?}");
    }
}
