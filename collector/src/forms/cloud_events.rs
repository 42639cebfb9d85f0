//! CloudEvents 1.0.2 in structured mode: who routes events reads the attributes, and the data is Picket's own JSON.

use std::fmt::Write as _;

use api::{harmless::harmless, times, v1};
use serde_json::{Value, json};

use super::parts;

pub(super) fn event(event: &v1::Event, data: &str) -> serde_json::Result<String> {
    let attributes = json!({
        "specversion": "1.0",
        "id": attribute(&parts::id(event.id.as_ref())),
        "source": source(parts::node(event)),
        "type": attribute(&format!("picket.v1.{}.{}", event.detector, parts::step(event))),
        "subject": attribute(parts::anomaly(event)),
        "time": times::exact(event.raised_at),
        "datacontenttype": "application/json",
    });
    with_data(attributes, data)
}

pub(super) fn gap(gap: &v1::Gap, data: &str) -> serde_json::Result<String> {
    let attributes = json!({
        "specversion": "1.0",
        "id": attribute(&format!("gap/{}", parts::id(gap.id.as_ref()))),
        "source": source(&gap.node),
        "type": "picket.v1.gap",
        "time": times::exact(gap.last_raised_at),
        "datacontenttype": "application/json",
    });
    with_data(attributes, data)
}

fn with_data(attributes: Value, data: &str) -> serde_json::Result<String> {
    let mut document = parts::pruned(attributes);
    document["data"] = serde_json::from_str(data)?;
    Ok(document.to_string())
}

/// A relative reference (RFC 3986, section 4.2) to the node.
fn source(node: &str) -> String {
    let mut source = String::from("/picket/nodes/");
    for byte in node.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'@' => {
                source.push(byte.into());
            }
            // Writing to a string cannot fail.
            _ => write!(source, "%{byte:02X}").unwrap_or_default(),
        }
    }
    source
}

/// Attributes hold neither control characters nor what Unicode calls no characters.
fn attribute(text: &str) -> String {
    let is_none = |it: char| {
        let number = u32::from(it);
        number & 0xfffe == 0xfffe || (0xfdd0..=0xfdef).contains(&number)
    };
    harmless(text).replace(is_none, "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_hold_what_they_may() {
        assert_eq!(source("n1.example"), "/picket/nodes/n1.example");
        assert_eq!(source("a b/é\n"), "/picket/nodes/a%20b%2F%C3%A9%0A");
        assert_eq!(
            attribute("a\n\u{fdd0}\u{1ffff}é"),
            "a\u{fffd}\u{fffd}\u{fffd}é"
        );
    }
}
