//! The captures of a corpus, and what is to be found in each.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use agent::replay::PodAddress;
use anyhow::{Context, Result, bail, ensure};

/// Beside the captures; its first line names the columns.
const MANIFEST: &str = "MANIFEST.tsv";

/// A capture.
#[derive(Clone, Debug)]
pub(super) struct Capture {
    /// The last part of the corpus's path, and the file's name.
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) verdict: Verdict,
    pub(super) label: String,
    /// How long a good rule took.
    pub(super) reference: Option<Duration>,
    /// The pod it was captured at.
    pub(super) source: Option<PodAddress>,
}

/// What is asked of a capture.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Verdict {
    /// Something must be found.
    MustFire,
    /// An attack of which nobody said that it can be found.
    Attack,
    /// An attack that few find.
    Hard,
    /// An attack that only who knows the pod's past can find.
    NeedsBaseline,
    /// It is fine either way.
    Optional,
    /// Nothing above low may be found.
    LowAllowed,
    /// Nothing above info may be found.
    MustNotFire,
}

impl Verdict {
    const ALL: [Self; 7] = [
        Self::MustFire,
        Self::Attack,
        Self::Hard,
        Self::NeedsBaseline,
        Self::Optional,
        Self::LowAllowed,
        Self::MustNotFire,
    ];

    /// As the manifest spells it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::MustFire => "must-fire",
            Self::Attack => "attack",
            Self::Hard => "hard",
            Self::NeedsBaseline => "needs-baseline",
            Self::Optional => "optional",
            Self::LowAllowed => "low-severity-allowed",
            Self::MustNotFire => "must-not-fire",
        }
    }

    /// Whether it is somebody's ordinary work.
    pub(super) const fn is_benign(self) -> bool {
        matches!(self, Self::LowAllowed | Self::MustNotFire)
    }
}

/// All captures of a directory, in the order of its manifest.
pub(super) fn read(directory: &Path) -> Result<Vec<Capture>> {
    let path = directory.join(MANIFEST);
    let text = fs::read_to_string(&path)
        .with_context(|| format!("cannot read {}: is it a corpus?", path.display()))?;
    parse(&text, directory).with_context(|| format!("cannot use {}", path.display()))
}

/// One of two forms: with a column `verdict`, or with a label that is `attack` or `benign` and a class.
fn parse(text: &str, directory: &Path) -> Result<Vec<Capture>> {
    let mut lines = text.lines();
    let header: Vec<_> = lines.next().unwrap_or_default().split('\t').collect();
    for column in ["file", "label"] {
        ensure!(header.contains(&column), "it has no column `{column}`");
    }
    let corpus = directory.file_name().unwrap_or_default().to_string_lossy();
    let lines = lines.filter(|line| !line.trim().is_empty());
    let rows = lines.map(|line| {
        let cells: Vec<_> = line.split('\t').collect();
        let cell = |column: &str| {
            let index = header.iter().position(|it| *it == column)?;
            cells.get(index).copied().map(str::trim)
        };
        let row = |file: &str| {
            let kind = cell("verdict").or_else(|| cell("label"));
            let label = match cell("verdict") {
                Some(_) => cell("label"),
                None => cell("class"),
            };
            let reference = cell("reference_latency_s").filter(|it| !it.is_empty());
            let source = cell("true_source").filter(|it| !it.is_empty());
            anyhow::Ok(Capture {
                name: format!("{corpus}/{file}"),
                path: directory.join(file),
                verdict: verdict(kind.unwrap_or_default())?,
                label: label.unwrap_or_default().to_owned(),
                reference: reference.map(seconds).transpose()?,
                source: source.map(str::parse).transpose()?,
            })
        };
        let file = cell("file").unwrap_or_default();
        row(file).with_context(|| format!("in the line of `{file}`"))
    });
    rows.collect()
}

fn verdict(name: &str) -> Result<Verdict> {
    if name == "benign" {
        return Ok(Verdict::MustNotFire);
    }
    let verdict = Verdict::ALL.into_iter().find(|it| it.name() == name);
    verdict.with_context(|| format!("there is no verdict `{name}`"))
}

fn seconds(text: &str) -> Result<Duration> {
    match Duration::try_from_secs_f64(text.parse()?) {
        Ok(duration) => Ok(duration),
        Err(error) => bail!("{text} s: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        let own = "file\tclass\tlabel\tverdict\treference_latency_s\ttrue_source\n\
                   a.pcap\tattack\tportscan-tcp\tmust-fire\t0.05\t10.244.0.11\n\
                   n.pcap\tbenign\tscraper\tmust-not-fire\t\t\n";
        let captures = parse(own, Path::new("corpus/lab")).unwrap();
        let [a, n] = captures.as_slice() else {
            panic!("{captures:?}");
        };
        assert_eq!(
            (a.name.as_str(), a.label.as_str()),
            ("lab/a.pcap", "portscan-tcp")
        );
        assert_eq!(a.verdict, Verdict::MustFire);
        assert_eq!(a.reference, Some(Duration::from_millis(50)));
        assert_eq!(
            a.source.map(|it| it.to_string()).as_deref(),
            Some("10.244.0.11")
        );
        assert_eq!(
            (n.verdict, n.reference, n.source),
            (Verdict::MustNotFire, None, None)
        );

        let public = "file\tlabel\tclass\tpackets\n\
                      x.pcap\tattack\tdns-tunnel\t5\n\
                      y.pcap\tbenign\tprotocol\t5\n";
        let captures = parse(public, Path::new("public")).unwrap();
        let told: Vec<_> = captures
            .iter()
            .map(|it| (it.verdict, it.label.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                (Verdict::Attack, "dns-tunnel"),
                (Verdict::MustNotFire, "protocol")
            ]
        );
    }

    #[test]
    fn a_manifest_that_cannot_be_used_says_where() {
        for (text, expected) in [
            ("", "it has no column `file`"),
            ("file\tverdict\n", "it has no column `label`"),
            (
                "file\tlabel\na\tmaybe\n",
                "in the line of `a`: there is no verdict `maybe`",
            ),
            (
                "file\tlabel\treference_latency_s\na\tattack\t-1\n",
                "in the line of `a`: -1 s: ",
            ),
        ] {
            let error = format!("{:#}", parse(text, Path::new("x")).unwrap_err());
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
