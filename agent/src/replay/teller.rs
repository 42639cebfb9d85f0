//! What a replay says beside its events: what it guessed, how far it is, and what there was.

use std::{
    io::{self, IsTerminal as _, Write as _},
    time::Duration,
};

use detect::{ParseFailure, Time};

use super::{
    PodAddress,
    capture::{Ending, Packet},
    player::Tally,
};

/// How much there is of a capture.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Length {
    pub(super) packets: u64,
    /// On the wire.
    pub(super) bytes: u64,
    /// In the file.
    pub(super) file_bytes: u64,
    pub(super) first: Time,
    pub(super) last: Time,
}

impl Length {
    pub(super) fn count(&mut self, packet: &Packet<'_>) {
        if self.packets == 0 {
            self.first = packet.at;
        }
        self.packets += 1;
        self.bytes += packet.bytes;
        self.file_bytes = packet.read_bytes;
        self.last = self.last.max(packet.at);
    }
}

/// Writes to standard error, unless it is silent.
#[derive(Debug)]
pub(super) struct Teller {
    silent: bool,
    terminal: bool,
    /// Of the file, in percent.
    told: Option<u64>,
}

impl Teller {
    pub(super) fn new() -> Self {
        Self {
            silent: false,
            terminal: io::stderr().is_terminal(),
            told: None,
        }
    }

    pub(super) const fn silent() -> Self {
        Self {
            silent: true,
            terminal: false,
            told: None,
        }
    }

    pub(super) fn guessed(&self, pod: Option<PodAddress>) {
        match pod {
            Some(pod) => self.say(&format!(
                "taking {pod} for the pod, as --pod names none; all other packets are to it"
            )),
            None => self.say("no packet tells which side is the pod"),
        }
    }

    /// Worth telling only when it takes a while, which is when percents go by slowly.
    pub(super) fn progress(&mut self, read: u64, all: u64) {
        const LONG_BYTES: u64 = 64 << 20;
        if !self.terminal || all < LONG_BYTES {
            return;
        }
        let percent = read * 100 / all;
        if self.told.replace(percent) != Some(percent) {
            write!(io::stderr(), "\r{percent} % ").ok();
        }
    }

    pub(super) fn finish(&self, tally: &Tally, length: &Length, ending: Ending) {
        if self.told.is_some() {
            write!(io::stderr(), "\r").ok();
        }
        match ending {
            Ending::Whole => {}
            Ending::Cut => {
                self.say("the file ends within a packet; what comes before it was replayed");
            }
            Ending::Damaged => {
                self.say(
                    "the file is damaged behind the last packet; what comes before was replayed",
                );
            }
        }
        let lasting = length.last.since(length.first);
        let lasting = Duration::from_millis(u64::try_from(lasting.as_millis()).unwrap_or(u64::MAX));
        self.say(&format!(
            "{} packets ({} from the pod, {} to it), {} bytes in {}; {} skipped; {} not parsed{}; {} \
             records dropped; {} {}",
            length.packets,
            tally.from_pod,
            tally.to_pod,
            length.bytes,
            humantime::format_duration(lasting),
            tally.skipped,
            tally.unparsed.iter().sum::<u64>(),
            reasons(tally),
            tally.records_dropped,
            tally.anomalies,
            if tally.anomalies == 1 {
                "anomaly"
            } else {
                "anomalies"
            },
        ));
    }

    fn say(&self, text: &str) {
        if !self.silent {
            // Nobody is left to tell when it is closed.
            writeln!(io::stderr(), "picket: {text}").ok();
        }
    }
}

/// Why packets were not parsed, in parentheses.
fn reasons(tally: &Tally) -> String {
    let reasons = ParseFailure::ALL.into_iter().zip(tally.unparsed);
    let reasons = reasons.filter(|(_, count)| *count > 0);
    let told: Vec<_> = reasons
        .map(|(reason, count)| format!("{count} {}", reason.name()))
        .collect();
    if told.is_empty() {
        return String::new();
    }
    format!(" ({})", told.join(", "))
}
