//! The file of outputs: read, checked as a whole, and compared with what it said before.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use super::{
    output::Served,
    reader::{Reader, Said},
    settings::Written,
};

/// Outputs at once: each has a series of each metric, and a process has 200 at most.
pub(super) const MOST: usize = 10;

/// Why there are no outputs.
#[derive(Debug, thiserror::Error)]
pub enum OutputsError {
    /// The file cannot be read.
    #[error("cannot read the outputs {}: check the path given with --outputs and its permissions", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It holds something else.
    #[error("cannot use the outputs {}: {reason}", path.display())]
    Nonsense {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

/// All outputs of a file.
#[derive(Debug)]
pub struct Outputs {
    pub(super) path: PathBuf,
    pub(super) all: Vec<Served>,
    /// What it and the files that it names said.
    pub(super) said: Vec<(PathBuf, Said)>,
}

impl Outputs {
    /// Reads the file, and the secrets that it names.
    ///
    /// # Errors
    /// When one of them cannot be used.
    pub fn read(path: &Path) -> Result<Self, OutputsError> {
        let text = fs::read_to_string(path).map_err(|source| OutputsError::Read {
            path: path.into(),
            source,
        })?;
        let nonsense = |reason: String| OutputsError::Nonsense {
            path: path.into(),
            reason,
        };
        let options = serde_saphyr::options! { with_snippet: false };
        let file: Written = serde_saphyr::from_str_with_options(&text, options)
            .map_err(|error| nonsense(error.to_string()))?;
        if file.outputs.len() > MOST {
            return Err(nonsense(format!("it has more than {MOST} outputs")));
        }
        let mut reader = Reader::new(path.parent().unwrap_or(Path::new("")));
        let mut known = BTreeSet::new();
        let mut all = Vec::with_capacity(file.outputs.len());
        for written in file.outputs {
            let (name, line) = (written.name.value.clone(), written.name.referenced.line());
            let about = |what: String| nonsense(format!("line {line}: output `{name}`: {what}"));
            let served = Served::new(written, &mut reader).map_err(about)?;
            if !known.insert(name.clone()) {
                return Err(about("is there twice; give each a name of its own".into()));
            }
            all.push(served);
        }
        let mut said = reader.said();
        said.push((path.into(), Said::of(text)));
        Ok(Self {
            path: path.into(),
            all,
            said,
        })
    }
}

#[cfg(test)]
mod tests {
    use api::v1;

    use super::*;

    fn read(text: &str) -> Result<Outputs, OutputsError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outputs.yaml");
        fs::write(&path, text).unwrap();
        fs::write(folder.path().join("weak"), "s3cret").unwrap();
        fs::write(folder.path().join("url"), "https://hooks.example/s3cret").unwrap();
        Outputs::read(&path)
    }

    #[test]
    fn what_cannot_be_used_is_told_with_its_line_and_what_to_write() {
        for (text, words) in [
            (
                "outputs:\n- name: a\n",
                "line 2: output `a`: needs one of alertmanager",
            ),
            (
                "outputs:\n- name: A\n  file: {path: '-'}\n",
                "small letters",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  slack: {url_file: url}\n",
                "needs one of",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n- name: a\n  file: {path: y}\n",
                "line 4: output `a`: is there twice",
            ),
            ("outputs:\n- name: a\n  flie: {path: x}\n", "`flie`"),
            (
                "outputs:\n- name: a\n  file: {path: x, form: xml}\n",
                "line 3",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  filter: {severity: bad}\n",
                "info, low, medium or high",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  filter: {states: [open]}\n",
                "opened, updated or closed",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  rate: {per_second: 0}\n",
                "rate.per_second",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  retry: {first: 2m}\n",
                "retry.longest",
            ),
            (
                "outputs:\n- name: a\n  file: {path: x}\n  timeout: soon\n",
                "`soon` is no duration",
            ),
            (
                "outputs:\n- name: a\n  slack: {url_file: missing}\n",
                "missing",
            ),
            (
                "outputs:\n- name: a\n  webhook: {url: 'https://h', secret_file: weak}\n",
                "whsec_",
            ),
            (
                "outputs:\n- name: a\n  webhook: {url: 'https://h', template: '{{ sumary }}'}\n",
                "line 1 of the template",
            ),
            (
                "outputs:\n- name: a\n  webhook: {url: 'http://192.0.2.1/', token_file: weak}\n",
                "without TLS",
            ),
            (
                "outputs:\n- name: a\n  syslog: {to: 'tcp://host'}\n",
                "tcp://host:514",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(words), "{text}: {error}");
            assert!(
                error.contains("outputs.yaml") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_left_out_has_a_default_and_a_secret_is_never_shown() {
        let outputs = read(
            "outputs:\n- name: a\n  slack: {url_file: url}\n  filter: {severity: medium, states: [opened]}\n",
        )
        .unwrap();
        let output = &outputs.all[0].output;
        assert_eq!(output.rate, Some((1.0, 1)));
        assert_eq!(output.filter.min_severity(), v1::Severity::Medium);
        assert_eq!(output.filter.states, [i32::from(v1::State::Opened)]);
        assert!(!output.from_beginning);
        assert!(!format!("{:?}", outputs.said).contains("s3cret"));
        assert_eq!(outputs.said.len(), 2);
    }
}
