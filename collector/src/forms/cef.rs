//! The Common Event Format, version 0 (ArcSight, revision 26), on one line.

use api::{harmless::harmless, names, v1};

use super::{parts, words};

/// The most characters of most fields of text.
const TEXT: usize = 4000;
/// Of those whose limit is lower.
const SHORT: usize = 1023;

pub(super) fn event(event: &v1::Event) -> String {
    let mut line = Line::new(
        &event.detector,
        &words::title(&event.detector),
        severity(event),
    );
    line.time("rt", event.raised_at);
    line.time("start", event.first_seen);
    line.time("end", event.last_seen);
    line.number("externalId", event.cursor);
    line.text("cat", &event.detector, SHORT);
    line.text("act", &parts::step(event), 63);
    line.text("msg", &event.summary, SHORT);
    line.text("dvchost", parts::node(event), 100);
    line.number("cnt", event.counted);
    if let Some(source) = parts::source(event) {
        line.address("src", "c6a2", "Source IPv6 Address", source);
        line.text("shost", parts::name(source), SHORT);
        line.text("suser", &source.service_account, SHORT);
        line.labelled("cs1", "Namespace", &source.namespace);
        line.labelled("cs2", "Workload", parts::workload(source));
    }
    if let Some(target) = event.targets.first() {
        if let Some(endpoint) = &target.endpoint {
            line.address("dst", "c6a3", "Destination IPv6 Address", endpoint);
            line.text("dhost", parts::name(endpoint), SHORT);
            line.labelled("cs3", "Target Namespace", &endpoint.namespace);
        }
        if let Some(port) = target.sample_ports.first() {
            line.number("dpt", u64::from(*port));
        }
    }
    if let Some((protocol, _)) = parts::protocol(event) {
        line.text("proto", &protocol.to_uppercase(), 31);
    }
    line.labelled("cs4", "Anomaly", parts::anomaly(event));
    line.labelled("cs5", "Event", &parts::id(event.id.as_ref()));
    line.labelled("cs6", "ATT&CK", &event.attack_ids.join(" "));
    if let Some(crossed) = &event.crossed {
        line.labelled("flexString1", "Measure", &names::measure(crossed.measure));
        line.text("cn1Label", "Threshold", SHORT);
        line.number("cn1", crossed.threshold);
    }
    if event.technique != 0 {
        line.labelled(
            "flexString2",
            "Technique",
            &names::technique(event.technique),
        );
    }
    if let Some(action) = &event.action {
        line.text("reason", &action.reason, SHORT);
        line.text("duser", &action.by, SHORT);
    }
    if let Some(triage) = &event.triage {
        line.text("reason", &triage.note, SHORT);
        line.text("duser", &triage.by, SHORT);
    }
    line.text
}

pub(super) fn gap(gap: &v1::Gap) -> String {
    let mut line = Line::new("gap", "Gap", 5);
    line.time("rt", gap.last_raised_at);
    line.time("start", gap.first_raised_at);
    line.time("end", gap.last_raised_at);
    line.number("externalId", gap.cursor);
    line.text("msg", &parts::gap_message(gap), SHORT);
    line.text("dvchost", &gap.node, 100);
    line.number("cnt", gap.events);
    line.text("reason", &gap.reason, SHORT);
    line.labelled("cs5", "Event", &parts::id(gap.id.as_ref()));
    line.text
}

/// From 0 to 10, as the format wants it: 0 to 3 is low, 4 to 6 medium, 7 and 8 high.
fn severity(event: &v1::Event) -> u8 {
    if event.shadow {
        return 0;
    }
    match event.severity() {
        v1::Severity::High => 8,
        v1::Severity::Medium => 6,
        v1::Severity::Low => 3,
        v1::Severity::Info | v1::Severity::Unspecified => 1,
    }
}

struct Line {
    text: String,
    has_fields: bool,
}

impl Line {
    fn new(id: &str, name: &str, severity: u8) -> Self {
        let (id, name) = (header(id), header(name));
        let version = env!("CARGO_PKG_VERSION");
        Self {
            text: format!("CEF:0|Picket|Picket|{version}|{id}|{name}|{severity}|"),
            has_fields: false,
        }
    }

    /// Leaves out what is empty, and what is beyond the limit of the field, in characters.
    fn text(&mut self, key: &str, value: &str, limit: usize) {
        if value.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.has_fields, true) {
            self.text.push(' ');
        }
        self.text.push_str(key);
        self.text.push('=');
        for character in value.chars().take(limit) {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '=' => self.text.push_str("\\="),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                other => self
                    .text
                    .push_str(&harmless(other.encode_utf8(&mut [0; 4]))),
            }
        }
    }

    fn number(&mut self, key: &str, value: u64) {
        self.text(key, &value.to_string(), TEXT);
    }

    fn time(&mut self, key: &str, time: Option<v1::Timestamp>) {
        if let Some(milliseconds) = parts::milliseconds(time) {
            self.number(key, milliseconds);
        }
    }

    /// One of the fields that say themselves what is in them.
    fn labelled(&mut self, key: &str, label: &str, value: &str) {
        if !value.is_empty() {
            self.text(&format!("{key}Label"), label, SHORT);
            self.text(key, value, TEXT);
        }
    }

    /// Of IPv6 the format has fields of its own.
    fn address(&mut self, v4: &str, v6: &str, label: &str, endpoint: &v1::Endpoint) {
        match parts::ip(endpoint) {
            Some(address) if address.contains(':') => self.labelled(v6, label, &address),
            Some(address) => self.text(v4, &address, TEXT),
            None => {}
        }
    }
}

fn header(text: &str) -> String {
    harmless(text).replace('\\', "\\\\").replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_format_itself_uses_is_escaped() {
        let mut line = Line::new("a|b\\c\n", "n=1", 3);
        line.text("msg", "a=b\\c|d\ne\r\u{1b}[1m\u{202e}", TEXT);
        line.text("empty", "", TEXT);
        line.text("short", "äöü", 2);
        let version = env!("CARGO_PKG_VERSION");
        let expected = format!(
            "CEF:0|Picket|Picket|{version}|a\\|b\\\\c\u{fffd}|n=1|3|\
             msg=a\\=b\\\\c|d\\ne\\r\u{fffd}[1m\u{fffd} short=äö"
        );
        assert_eq!(line.text, expected);
    }
}
