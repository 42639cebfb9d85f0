//! What the file of outputs says, checked: each output with its destination.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use api::{names, v1};

use super::{
    destination::Destination,
    pace::Rate,
    reader::{Reader, Said},
    settings::{Entry as Written, Filter, From, Written as File},
};
use crate::store::Entry;

/// Outputs at once: each has a series of each metric.
const MOST: usize = 32;
const LONGEST_NAME: usize = 63;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);

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

/// An output, and up to where it was served by this process.
#[derive(Debug)]
pub(super) struct Served {
    pub(super) output: Output,
    pub(super) destination: Destination,
    pub(super) reached: u64,
}

/// What is sent, and how.
#[derive(Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) filter: Arc<v1::Filter>,
    shadow: bool,
    pub(super) from_beginning: bool,
    /// Events a second, and at once.
    pub(super) rate: Option<(f64, u32)>,
    pub(super) retry: Retry,
    pub(super) timeout: Duration,
}

/// When what was not taken is sent again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Retry {
    pub(super) first: Duration,
    pub(super) longest: Duration,
    pub(super) give_up: Option<Duration>,
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
        let file: File = serde_saphyr::from_str_with_options(&text, options)
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

impl Served {
    fn new(mut written: Written, reader: &mut Reader<'_>) -> Result<Self, String> {
        let name = written.name.value.clone();
        let is_name =
            |it: u8| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-' || it == b'_';
        if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_name) {
            return Err(format!(
                "needs a name of 1 to {LONGEST_NAME} small letters, digits, dashes and underscores"
            ));
        }
        let destination = Destination::new(&mut written, reader)?;
        let rate = written
            .rate
            .or(destination.usual_rate())
            .map(rate)
            .transpose()?;
        let retry = Retry {
            first: written.retry.first.unwrap_or(FIRST),
            longest: written.retry.longest.unwrap_or(LONGEST),
            give_up: written.retry.give_up,
        };
        if retry.first.is_zero() || retry.longest < retry.first {
            return Err(
                "retry.first must be more than nothing and no more than retry.longest".into(),
            );
        }
        let timeout = written.timeout.unwrap_or(TIMEOUT);
        if timeout.is_zero() {
            return Err("timeout must be more than nothing".into());
        }
        let shadow = written.filter.shadow;
        let output = Output {
            name,
            filter: Arc::new(filter(written.filter)?),
            shadow,
            from_beginning: written.from == From::Beginning,
            rate,
            retry,
            timeout,
        };
        Ok(Self {
            output,
            destination,
            reached: 0,
        })
    }
}

impl Output {
    /// Whether this is for the destination.
    pub(super) fn passes(&self, entry: &Entry) -> bool {
        let shadow = matches!(entry, Entry::Event(event) if event.shadow);
        (self.shadow || !shadow) && entry.passes(&self.filter)
    }
}

fn rate(rate: Rate) -> Result<(f64, u32), String> {
    let burst = rate.burst.unwrap_or_else(|| rate.per_second.ceil() as u32);
    if !(rate.per_second.is_finite() && rate.per_second > 0.0) || burst == 0 {
        return Err("rate.per_second and rate.burst must be more than nothing".into());
    }
    Ok((rate.per_second, burst))
}

fn filter(written: Filter) -> Result<v1::Filter, String> {
    let severity = written.severity.map(|word| {
        let severity = names::of_word("SEVERITY_", &word, v1::Severity::from_str_name);
        severity.ok_or_else(|| format!("`{word}` is no severity; write info, low, medium or high"))
    });
    let states = written.states.iter().map(|word| {
        let state = names::of_word("STATE_", word, v1::State::from_str_name);
        state
            .map(i32::from)
            .ok_or_else(|| format!("`{word}` is no state; write opened, updated or closed"))
    });
    Ok(v1::Filter {
        states: states.collect::<Result<_, _>>()?,
        min_severity: severity.transpose()?.map_or(0, i32::from),
        namespaces: written.namespaces,
        pods: written.pods,
        nodes: written.nodes,
        detectors: written.detectors,
        labels: written.labels,
        exclude_correlated: written.correlated == Some(false),
        since: None,
    })
}

#[cfg(test)]
mod tests {
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
