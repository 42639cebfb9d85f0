//! A message of RFC 5424.

use api::{times, v1};
use serde::Deserialize;

use crate::store::Entry;

const NIL: &str = "-";
const APPLICATION: &str = "picket";

/// Longest fields of the header, and what each is.
const HOST: usize = 255;
const MESSAGE_ID: usize = 32;

/// What kind of program speaks.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub(super) enum Facility {
    User,
    Daemon,
    Auth,
    Authpriv,
    Local0,
    Local1,
    Local2,
    Local3,
    #[default]
    Local4,
    Local5,
    Local6,
    Local7,
}

impl Facility {
    const fn number(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Auth => 4,
            Self::Authpriv => 10,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

/// The message, whose text is one line.
pub(super) fn write(facility: Facility, entry: &Entry, text: &str) -> String {
    let (severity, at, node, kind) = match entry {
        Entry::Event(event) => {
            let severity = match event.severity() {
                v1::Severity::High => 2,
                v1::Severity::Medium => 4,
                v1::Severity::Low => 5,
                v1::Severity::Info | v1::Severity::Unspecified => 6,
            };
            let node = event.id.as_ref().map_or("", |id| &id.node);
            (severity, event.raised_at, node, event.detector.as_str())
        }
        Entry::Gap(gap) => (4, gap.last_raised_at, gap.node.as_str(), "gap"),
    };
    let priority = facility.number() * 8 + severity;
    let at = microseconds(at);
    let (node, kind) = (field(node, HOST), field(kind, MESSAGE_ID));
    format!("<{priority}>1 {at} {node} {APPLICATION} {NIL} {kind} {NIL} {text}")
}

/// RFC 5424 takes six digits of a second at most.
fn microseconds(at: Option<v1::Timestamp>) -> String {
    let Some(exact) = times::exact(at) else {
        return NIL.into();
    };
    match exact.split_once('.') {
        Some((second, fraction)) if fraction.len() > 6 => format!("{second}.{}Z", &fraction[..6]),
        _ => exact,
    }
}

/// Printable ASCII without spaces.
fn field(text: &str, longest: usize) -> String {
    let text: String = text
        .chars()
        .filter(char::is_ascii_graphic)
        .take(longest)
        .collect();
    if text.is_empty() { NIL.into() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::sample;

    #[test]
    fn a_message_has_the_header_of_rfc_5424() {
        let line = write(Facility::Local4, &sample::event(), "text");
        let expected = "<165>1 2026-01-01T00:00:00.000000Z node-1 picket - port_scan - text";
        assert_eq!(line, expected);
        let Entry::Event(mut event) = sample::event() else {
            panic!("no event");
        };
        event.severity = v1::Severity::High.into();
        event.raised_at = None;
        event.detector = "a b\nc\u{e9}".into();
        event.id = None;
        let line = write(Facility::Daemon, &Entry::Event(event), "text");
        assert_eq!(line, "<26>1 - - picket - abc - text");
    }
}
