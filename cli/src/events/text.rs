//! Events and gaps for people, one line each.

use api::v1::{Event, Gap, Severity, State};

use crate::{
    facts, names,
    palette::{BOLD, DIM, HIGH, LOW, MEDIUM, Palette, harmless},
    time,
};

/// Time, severity, state, pod, and what happened.
pub(super) fn event(event: &Event, palette: Palette) -> String {
    line(event, "", palette)
}

/// The same with what tells more of the source and of how much was seen.
pub(super) fn wide(event: &Event, palette: Palette) -> String {
    let facts = facts::of(event);
    let facts = facts.iter().map(|(name, value)| format!("{name}={value}"));
    let facts: Vec<_> = facts.collect();
    line(event, &format!("{}  ", facts.join(" ")), palette)
}

fn line(event: &Event, facts: &str, palette: Palette) -> String {
    let colour = match event.severity() {
        Severity::High => HIGH,
        Severity::Medium => MEDIUM,
        // Of a newer agent: what is graver than what is known here.
        Severity::Unspecified if event.severity > Severity::High.into() => HIGH,
        Severity::Low | Severity::Info | Severity::Unspecified => LOW,
    };
    let emphasis = match event.state() {
        State::Opened => BOLD,
        State::Closed => DIM,
        State::Updated | State::Unspecified => clap::builder::styling::Style::new(),
    };
    // Nobody is to be alarmed by it.
    let shadow = if event.shadow { "in shadow: " } else { "" };
    format!(
        "{}  {}  {}  {}  {}{shadow}{}",
        time::short(event.raised_at),
        palette.paint(colour, &format!("{:6}", names::severity(event.severity))),
        palette.paint(emphasis, &format!("{:7}", names::state(event.state))),
        palette.paint(BOLD, &source(event)),
        harmless(facts),
        harmless(&event.summary),
    )
}

/// The pod; while it is not known, the closest thing to it that is.
fn source(event: &Event) -> String {
    let node = event.id.as_ref().map_or("", |id| &id.node);
    let Some(source) = &event.source else {
        return format!("node {node}");
    };
    names::pod(&source.namespace, &source.pod).unwrap_or_else(|| {
        match (source.address.is_empty(), source.interface.is_empty()) {
            (true, true) => format!("somebody on {node}"),
            (true, false) => format!("{} on {node}", source.interface),
            (false, _) => format!("{} on {node}", source.address),
        }
    })
}

pub(super) fn gap(gap: &Gap, palette: Palette) -> String {
    let lost = match gap.events {
        1 => "1 event is missing here".to_owned(),
        events => format!("{events} events are missing here"),
    };
    let merged = match gap.merged_updates {
        0 => String::new(),
        1 => ", and 1 update that a later one replaced".to_owned(),
        merged => format!(", and {merged} updates that later ones replaced"),
    };
    let node = if gap.node.is_empty() {
        String::new()
    } else {
        format!(", of node {}", gap.node)
    };
    palette.paint(
        MEDIUM,
        &format!("-- {lost}{merged}{node}: {}", harmless(&gap.reason)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_tried_out_says_so() {
        for (shadow, expected) in [(true, "in shadow: app1 scanned"), (false, "app1 scanned")] {
            let event = Event {
                shadow,
                summary: "app1 scanned".into(),
                ..Event::default()
            };
            let line = super::event(&event, Palette::Plain);
            assert!(line.ends_with(&format!("  {expected}")), "{line}");
        }
    }
}
