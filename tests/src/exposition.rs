//! OpenMetrics text, read as far as it describes metrics.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::namespace::Namespace;

const LIMIT: Duration = Duration::from_secs(10);

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

/// What is served at `/metrics` of this address in `network`.
///
/// # Errors
/// When nothing is.
pub fn scrape(network: &Namespace, address: SocketAddr) -> Result<String> {
    let served = network.enter(|| {
        let mut stream = TcpStream::connect_timeout(&address, LIMIT)?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHost: daemon\r\nConnection: close\r\n\r\n")?;
        let mut served = String::new();
        stream.read_to_string(&mut served)?;
        anyhow::Ok(served)
    })?;
    let served = served.with_context(|| format!("{address} serves no metrics"))?;
    let (head, body) = served.split_once("\r\n\r\n").context("no body")?;
    ensure!(head.starts_with("HTTP/1.1 200 "), "{head}");
    Ok(body.to_owned())
}
