//! OpenMetrics text, read as far as it describes metrics.

/// A metric as it is exposed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Metric {
    /// As a query names it: a counter with its `_total`.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: String,
    /// What it tells.
    pub help: String,
}

/// Every metric that `text` describes, by name.
#[must_use]
pub fn metrics(text: &str) -> Vec<Metric> {
    let lines = |prefix: &'static str| {
        text.lines()
            .filter_map(move |line| line.strip_prefix(prefix)?.split_once(' '))
    };
    let mut metrics: Vec<_> = lines("# HELP ")
        .filter_map(|(name, help)| {
            let (_, kind) = lines("# TYPE ").find(|(of, _)| *of == name)?;
            let suffix = if kind == "counter" { "_total" } else { "" };
            Some(Metric {
                name: format!("{name}{suffix}"),
                kind: kind.into(),
                help: help.into(),
            })
        })
        .collect();
    metrics.sort_by(|a, b| a.name.cmp(&b.name));
    metrics
}
