//! Which gaps are taken into the log.

use api::v1;

use super::field::{Fault, few, number, text, time};

/// Longest reason.
const REASON: usize = 1024;

/// More than there are severities, and those of which nobody knows it: a newer agent may know others.
const LOST: usize = 16;

/// What a subscriber may rely on in every gap.
pub(super) fn check(gap: &v1::Gap) -> Result<(), Fault> {
    text("reason", &gap.reason, REASON)?;
    let first = gap.id.as_ref().map_or(0, |id| id.sequence);
    let last = gap.last_sequence;
    if last < first || i64::try_from(last).is_err() {
        return Err(Fault::Last { first, last });
    }
    let span = last - first + 1;
    let missing = gap.events.saturating_add(gap.merged_updates);
    if missing == 0 {
        return Err(Fault::Nothing);
    }
    if missing > span {
        return Err(Fault::Count { missing, span });
    }
    few("lost severities", &gap.lost, LOST)?;
    let mut counted: u64 = 0;
    for lost in &gap.lost {
        number("lost severity", lost.severity)?;
        counted = counted.saturating_add(lost.events);
    }
    if counted > gap.events {
        return Err(Fault::Lost {
            counted,
            events: gap.events,
        });
    }
    for (field, at) in [
        ("first_raised_at", gap.first_raised_at),
        ("last_raised_at", gap.last_raised_at),
    ] {
        if let Some(at) = at {
            time(field, at)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use api::v1::Timestamp;

    use super::*;

    fn gap() -> v1::Gap {
        let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
        v1::Gap {
            events: 5,
            reason: "the spool was full".into(),
            id: Some(v1::EventId {
                node: "n1".into(),
                epoch: 5,
                sequence: 10,
            }),
            last_sequence: 19,
            lost: vec![v1::Lost {
                severity: v1::Severity::Low.into(),
                events: 5,
            }],
            merged_updates: 5,
            first_raised_at: at(100),
            last_raised_at: at(200),
            ..Default::default()
        }
    }

    #[test]
    fn each_fault_is_told() {
        type Spoil = fn(&mut v1::Gap);
        let cases: [(Spoil, &str); 9] = [
            (|it| it.last_sequence = 9, "its last_sequence 9 is not"),
            (|it| it.last_sequence = u64::MAX, "is not between"),
            (|it| it.events = 6, "11 events are missing of 10"),
            (|it| it.events = u64::MAX, "events are missing of 10"),
            (
                |it| (it.events, it.merged_updates) = (0, 0),
                "nothing is missing",
            ),
            (|it| it.lost[0].events = 6, "are 6, more than the 5"),
            (
                |it| it.lost[0].severity = -9,
                "its lost severity cannot be -9",
            ),
            (
                |it| it.reason = "x".repeat(1025),
                "its reason has 1025 bytes",
            ),
            (
                |it| it.last_raised_at.get_or_insert_default().nanos = -1,
                "its last_raised_at is no valid time",
            ),
        ];
        check(&gap()).unwrap();
        let mut damaged = gap();
        for severity in [0, 9] {
            damaged.lost[0].severity = severity;
            check(&damaged).unwrap();
        }
        for (spoil, expected) in cases {
            let mut gap = gap();
            spoil(&mut gap);
            let fault = check(&gap).unwrap_err().to_string();
            assert!(fault.contains(expected), "{fault} is not {expected}");
        }
    }
}
