//! Replays labelled captures through the real programs and detectors.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

use agent::replay::{PodAddress, Replay};
use anyhow::{Context as _, Result, ensure};
use api::{pods::Pods, policy::Policy};

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use super::{
    compare,
    manifest::{self, Capture, Verdict},
    outcome::{self, Judgement, Outcome},
    score,
};
use crate::stopwatch;

/// As the agent's by default.
const TICK: Duration = Duration::from_millis(100);

/// How the captures of some corpora fared.
pub(super) struct Fared {
    pub(super) json: Value,
    /// Attacks missed that must be found, and ordinary work flagged.
    pub(super) failures: usize,
}

/// Replays all captures of all directories, prints what came of it, and compares it with the `last` run.
#[expect(clippy::print_stdout, reason = "it talks to a person")]
pub(super) fn measure(directories: &[PathBuf], last: &Value) -> Result<Fared> {
    let start_and_end = replay_of_nothing()?;
    let mut outcomes = Vec::new();
    println!("{HEADER}");
    for directory in directories {
        for capture in manifest::read(directory)? {
            let outcome = play(capture, start_and_end)?;
            println!("{}", line(&outcome));
            outcomes.push(outcome);
        }
    }
    ensure!(!outcomes.is_empty(), "there are no captures");

    println!("\n{}", score::HEADER);
    let scores = score::scores(&outcomes);
    for (detector, score) in &scores {
        println!("  {detector:<16}{score}");
    }
    let summary = Summary::of(&outcomes);
    println!("\n{}", summary.text());

    let files: Vec<_> = outcomes.iter().map(Outcome::json).collect();
    let detectors = scores
        .iter()
        .map(|(detector, score)| ((*detector).to_owned(), score.json()));
    let json = json!({
        "files": files,
        "detectors": detectors.collect::<serde_json::Map<_, _>>(),
        "summary": summary.json(),
    });
    if !last.is_null() {
        let changes = compare::changes(last, &json);
        println!("\nsince the last run: {} changes", changes.len());
        for change in changes {
            println!("  {change}");
        }
    }
    Ok(Fared {
        json,
        failures: summary.failures(),
    })
}

/// How long it takes to load the programs, and to let time run on behind the last packet.
fn replay_of_nothing() -> Result<Duration> {
    /// The header of a pcap file of Ethernet frames.
    const EMPTY: [u32; 6] = [0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 1];
    let mut file = NamedTempFile::new()?;
    file.write_all(&EMPTY.map(u32::to_le_bytes).concat())?;
    let took = (0..3).map(|_| {
        let start = stopwatch::now();
        replay(file.path(), None).run_into(|_| Ok(()))?;
        Ok(start.elapsed())
    });
    Ok(took
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .min()
        .unwrap_or_default())
}

fn play(capture: Capture, start_and_end: Duration) -> Result<Outcome> {
    let replay = replay(&capture.path, capture.source);
    let mut events = Vec::new();
    let start = stopwatch::now();
    let replayed = replay
        .run_into(|event| {
            events.push(event);
            Ok(())
        })
        .with_context(|| format!("cannot replay {}", capture.name))?;
    let took = start.elapsed().saturating_sub(start_and_end);
    let first_sent = replayed.first_sent;
    let first_sent = first_sent.map(|it| Duration::from_nanos(it.nanoseconds()));
    Ok(Outcome::of(
        capture,
        &events,
        first_sent,
        replayed.packets,
        took,
    ))
}

fn replay(file: &Path, pod: Option<PodAddress>) -> Replay {
    Replay {
        file: file.to_owned(),
        pod: pod.into_iter().collect(),
        pods: Pods::default(),
        policy: Policy::default(),
        tick: TICK,
    }
}

const HEADER: &str = "  capture                                  verdict               label              \
                      judged latency   limit us/packet source found";

fn line(outcome: &Outcome) -> String {
    let Capture {
        name,
        verdict,
        label,
        ..
    } = &outcome.capture;
    let seconds =
        |it: Option<Duration>| it.map_or("-".into(), |it| format!("{:.2}", it.as_secs_f64()));
    let source = match outcome.names_the_source() {
        Some(true) => "true",
        Some(false) => "FALSE",
        None => "-",
    };
    let cost = outcome.us_per_packet();
    let cost = cost.map_or("-".into(), |it| format!("{it:.1}"));
    let fired = outcome
        .fired
        .iter()
        .map(|(detector, worst)| format!("{detector}:{}", outcome::name(*worst)));
    let fired: Vec<_> = fired.collect();
    format!(
        "  {name:<40} {:<21} {label:<18} {:<6} {:>7} {:>7} {cost:>9} {source:<6} {}",
        verdict.name(),
        outcome.judgement(),
        seconds(outcome.latency().filter(|_| !verdict.is_benign())),
        seconds(outcome.limit()),
        fired.join(" "),
    )
}

/// Counts over all captures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Summary {
    /// Those that must be found, and those that were.
    must_fire: [usize; 2],
    late: usize,
    attacks: [usize; 2],
    hard: [usize; 2],
    benign: usize,
    flagged: usize,
    low_allowed: usize,
    flagged_above_low: usize,
    /// Captures with a true source in which something was found, and those in which it was named alone.
    sources: [usize; 2],
}

impl Summary {
    fn of(outcomes: &[Outcome]) -> Self {
        let mut summary = Self::default();
        for outcome in outcomes {
            let judgement = outcome.judgement();
            let count = |[all, found]: [usize; 2]| {
                [all + 1, found + usize::from(outcome.worst().is_some())]
            };
            let flagged = usize::from(judgement == Judgement::False);
            match outcome.capture.verdict {
                Verdict::MustFire => {
                    summary.must_fire = count(summary.must_fire);
                    summary.late += usize::from(judgement == Judgement::Late);
                }
                Verdict::Attack => summary.attacks = count(summary.attacks),
                Verdict::Hard => summary.hard = count(summary.hard),
                Verdict::NeedsBaseline | Verdict::Optional => {}
                Verdict::LowAllowed => {
                    summary.low_allowed += 1;
                    summary.flagged_above_low += flagged;
                }
                Verdict::MustNotFire => {
                    summary.benign += 1;
                    summary.flagged += flagged;
                }
            }
            if let Some(right) = outcome.names_the_source() {
                summary.sources[0] += 1;
                summary.sources[1] += usize::from(right);
            }
        }
        summary
    }

    const fn failures(&self) -> usize {
        self.must_fire[0] - self.must_fire[1] + self.flagged + self.flagged_above_low
    }

    fn text(&self) -> String {
        let of = |[all, found]: [usize; 2]| format!("{found} of {all}");
        format!(
            "must-fire: {} found, {} of them late; attacks: {}; hard: {}; must-not-fire: {} of {} flagged above \
             info; low-severity-allowed: {} of {} above low; the true source alone is named in {}",
            of(self.must_fire),
            self.late,
            of(self.attacks),
            of(self.hard),
            self.flagged,
            self.benign,
            self.flagged_above_low,
            self.low_allowed,
            of(self.sources),
        )
    }

    fn json(&self) -> Value {
        let of = |[all, found]: [usize; 2]| json!({"all": all, "found": found});
        json!({
            "must_fire": of(self.must_fire),
            "late": self.late,
            "attacks": of(self.attacks),
            "hard": of(self.hard),
            "must_not_fire": {"all": self.benign, "flagged": self.flagged},
            "low_severity_allowed": {"all": self.low_allowed, "flagged": self.flagged_above_low},
            "sources": of(self.sources),
        })
    }
}

#[cfg(test)]
mod tests {
    use api::v1::Severity::{High, Low, Medium};

    use super::{super::outcome::tests::outcome, *};

    #[test]
    fn misses_and_false_alarms_fail_and_nothing_else_does() {
        for (verdict, fired, failures) in [
            (Verdict::MustFire, None, 1),
            (Verdict::MustFire, Some(Low), 0),
            (Verdict::Attack, None, 0),
            (Verdict::Hard, None, 0),
            (Verdict::Optional, Some(High), 0),
            (Verdict::NeedsBaseline, None, 0),
            (Verdict::LowAllowed, Some(Low), 0),
            (Verdict::LowAllowed, Some(Medium), 1),
            (Verdict::MustNotFire, None, 0),
            (Verdict::MustNotFire, Some(Low), 1),
        ] {
            let fired = fired.map(|severity| ("port_scan", severity, 500));
            let outcomes = [outcome(verdict, "x", fired.as_slice())];
            let summary = Summary::of(&outcomes);
            assert_eq!(
                summary.failures(),
                failures,
                "{verdict:?}, {fired:?}: {}",
                summary.text()
            );
        }
    }
}
