//! What is sent: events and gaps, with an id each and a text in a form.

use api::v1;

use crate::{forms::Form, store::Entry};

/// The same whenever it is sent, and no other's.
pub(super) fn id(entry: &Entry) -> String {
    let id = match entry {
        Entry::Event(event) => event.id.as_ref(),
        Entry::Gap(gap) => gap.id.as_ref(),
    };
    match (id, entry) {
        (Some(id), Entry::Event(_)) => written(id),
        (Some(id), Entry::Gap(_)) => format!("gap/{}", written(id)),
        (None, _) => format!("gap/{}", entry.cursor()),
    }
}

fn written(id: &v1::EventId) -> String {
    format!("{}/{}/{}", id.node, id.epoch, id.sequence)
}

/// One line, without its end.
pub(super) fn text(form: Form, entry: &Entry) -> Result<String, String> {
    let text = match entry {
        Entry::Event(event) => form.event(event),
        Entry::Gap(gap) => form.gap(gap),
    };
    text.map_err(|error| error.to_string())
}

/// One sentence.
pub(super) fn sentence(entry: &Entry) -> String {
    match entry {
        Entry::Event(event) => event.summary.clone(),
        Entry::Gap(gap) if gap.node.is_empty() => {
            format!("{} events are missing: {}", gap.events, gap.reason)
        }
        Entry::Gap(gap) => format!(
            "{} events of node {} are missing: {}",
            gap.events, gap.node, gap.reason
        ),
    }
}
