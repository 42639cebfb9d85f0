//! How it is said what people made of an anomaly.

use crate::v1::{self, TriageKind};

/// The detector of events that tell of it.
pub const TRIAGE: &str = "triage";

/// The longest note, in bytes.
pub const NOTE: usize = 4096;

/// Who made what of whose anomaly; `source` is how its pod is called.
pub(crate) fn sentence(triage: &v1::Triage, source: &str) -> String {
    let by = match &triage.by[..] {
        "" => "somebody",
        by => by,
    };
    let done = match (triage.kind(), &triage.assignee[..]) {
        (TriageKind::Unspecified, _) => "did something about".to_owned(),
        (TriageKind::Acknowledged, _) => "acknowledged".to_owned(),
        (TriageKind::Assigned, "") => "assigned to nobody".to_owned(),
        (TriageKind::Assigned, assignee) => format!("assigned to {assignee}"),
        (TriageKind::Noted, _) => "noted on".to_owned(),
        (TriageKind::Resolved, _) => "resolved".to_owned(),
        (TriageKind::Reopened, _) => "reopened".to_owned(),
    };
    let note = match &triage.note[..] {
        "" => String::new(),
        note => format!(": {note}"),
    };
    format!(
        "{by} {done} anomaly {} of {source}{note}",
        triage.anomaly_id
    )
}

#[cfg(test)]
mod tests {
    use crate::{summary::summarize, v1};

    #[test]
    fn it_is_told_who_made_what_of_it() {
        for (kind, assignee, note, expected) in [
            (
                v1::TriageKind::Acknowledged,
                "",
                "",
                "anna acknowledged anomaly n1/7 of blue/app1",
            ),
            (
                v1::TriageKind::Assigned,
                "bert",
                "",
                "anna assigned to bert anomaly n1/7 of blue/app1",
            ),
            (
                v1::TriageKind::Noted,
                "",
                "odd",
                "anna noted on anomaly n1/7 of blue/app1: odd",
            ),
        ] {
            let event = v1::Event {
                source: Some(v1::Endpoint {
                    namespace: "blue".into(),
                    pod: "app1".into(),
                    ..v1::Endpoint::default()
                }),
                triage: Some(v1::Triage {
                    anomaly_id: "n1/7".into(),
                    kind: kind.into(),
                    by: "anna".into(),
                    assignee: assignee.into(),
                    note: note.into(),
                }),
                ..v1::Event::default()
            };
            assert_eq!(summarize(&event), expected);
        }
    }
}
