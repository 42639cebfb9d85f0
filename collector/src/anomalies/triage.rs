//! What a person makes of an anomaly, as an event that the log keeps.

use api::{
    summary,
    triage::{NOTE, TRIAGE},
    v1,
};
use tonic::Status;

const ID: usize = 512;
const NAME: usize = 253;

/// What is asked for, if it makes sense, and who asks for it.
pub(super) fn checked(triage: v1::Triage, by: &str) -> Result<v1::Triage, Status> {
    let wrong = |message: String| Err(Status::invalid_argument(message));
    let kind = match v1::TriageKind::try_from(triage.kind) {
        Ok(v1::TriageKind::Unspecified) | Err(_) => {
            return wrong(
                "kind is none of acknowledged, assigned, noted, resolved, reopened".into(),
            );
        }
        Ok(kind) => kind,
    };
    for (field, text, most) in [
        ("anomaly_id", &triage.anomaly_id, ID),
        ("assignee", &triage.assignee, NAME),
        ("note", &triage.note, NOTE),
    ] {
        if text.len() > most {
            return wrong(format!("{field} has more than {most} bytes; shorten it"));
        }
    }
    if triage.anomaly_id.is_empty() {
        return wrong("anomaly_id is empty; name the anomaly".into());
    }
    if kind == v1::TriageKind::Noted && triage.note.trim().is_empty() {
        return wrong("the note is empty; write what is to be noted".into());
    }
    if kind != v1::TriageKind::Assigned && !triage.assignee.is_empty() {
        return wrong("an assignee is only for kind assigned".into());
    }
    Ok(v1::Triage {
        by: by.into(),
        ..triage
    })
}

/// The event to be raised, seen by whoever sees the last one of the anomaly.
pub(super) fn draft(about: &v1::Event, triage: v1::Triage) -> v1::Event {
    let now = about.last_seen;
    let mut event = v1::Event {
        state: v1::State::Opened.into(),
        detector: TRIAGE.into(),
        severity: v1::Severity::Info.into(),
        crossed_at: now,
        first_seen: about.first_seen,
        last_seen: now,
        source: about.source.clone(),
        targets: about.targets.clone(),
        further_targets: about.further_targets,
        shadow: about.shadow,
        triage: Some(triage),
        ..v1::Event::default()
    };
    event.summary = summary::summarize(&event);
    event
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_makes_no_sense_is_told() {
        let base = || v1::Triage {
            anomaly_id: "n1/7".into(),
            kind: v1::TriageKind::Noted.into(),
            note: "odd".into(),
            by: "forged".into(),
            ..v1::Triage::default()
        };
        assert_eq!(checked(base(), "anna").unwrap().by, "anna");
        type Spoil = fn(&mut v1::Triage);
        let cases: [(Spoil, &str); 7] = [
            (|it| it.kind = 0, "kind is none of"),
            (|it| it.kind = 99, "kind is none of"),
            (|it| it.anomaly_id.clear(), "anomaly_id is empty"),
            (|it| it.note = " \n".into(), "the note is empty"),
            (
                |it| it.note = "x".repeat(NOTE + 1),
                "note has more than 4096",
            ),
            (|it| it.assignee = "bert".into(), "only for kind assigned"),
            (|it| it.anomaly_id = "x".repeat(513), "anomaly_id has more"),
        ];
        for (spoil, expected) in cases {
            let mut triage = base();
            spoil(&mut triage);
            let said = checked(triage, "anna").unwrap_err();
            assert!(said.message().contains(expected), "{said}");
        }
    }
}
