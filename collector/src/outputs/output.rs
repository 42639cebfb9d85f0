//! One output, checked: what is sent, where, and how.

use std::{sync::Arc, time::Duration};

use api::{names, v1};

use super::{
    destination::Destination,
    pace::Rate,
    reader::Reader,
    settings::{Entry as Written, Filter, From},
};
use crate::store::Entry;

const LONGEST_NAME: usize = 63;

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);
const TIMEOUT: Duration = Duration::from_secs(10);
const SHORTEST: Duration = Duration::from_secs(3);

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

impl Served {
    pub(super) fn new(mut written: Written, reader: &mut Reader<'_>) -> Result<Self, String> {
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
        if timeout < SHORTEST {
            return Err(
                "timeout must be 3s or more: some receivers take two to be believed".into(),
            );
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
