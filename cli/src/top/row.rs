//! One line of a panel: what it shows, and by what it can be sorted.

use std::cmp::Ordering;

use api::v1::Severity;

/// What heads a column, and how many characters it is given; the rest is for columns of 0, in equal parts.
pub(super) type Column = (&'static str, u16);

#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Row {
    /// The same in the next snapshot.
    pub(super) id: String,
    pub(super) cells: Vec<String>,
    /// One for each way to sort the panel.
    pub(super) keys: Vec<Key>,
    pub(super) heat: Heat,
}

/// The greatest number first, and texts as in a dictionary.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Key {
    Most(u64),
    Text(String),
}

#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Heat {
    #[default]
    Cold,
    Low,
    Medium,
    High,
}

impl From<Severity> for Heat {
    fn from(severity: Severity) -> Self {
        match severity {
            Severity::High => Self::High,
            Severity::Medium => Self::Medium,
            Severity::Low | Severity::Info | Severity::Unspecified => Self::Low,
        }
    }
}

impl Key {
    fn compare(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Most(a), Self::Most(b)) => b.cmp(a),
            (Self::Text(a), Self::Text(b)) => a.cmp(b),
            (Self::Most(_), Self::Text(_)) => Ordering::Less,
            (Self::Text(_), Self::Most(_)) => Ordering::Greater,
        }
    }
}

/// Sorts by one of the keys; equal ones stay by their id, so that nothing jumps.
pub(super) fn sort(rows: &mut [Row], key: usize, is_reversed: bool) {
    rows.sort_by(|a, b| {
        let order = match (a.keys.get(key), b.keys.get(key)) {
            (Some(a), Some(b)) => a.compare(b),
            _ => Ordering::Equal,
        };
        let order = if is_reversed { order.reverse() } else { order };
        order.then_with(|| a.id.cmp(&b.id))
    });
}

impl Row {
    /// Whether any of its cells has the text, in any case of letters.
    pub(super) fn has(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        text.is_empty()
            || self
                .cells
                .iter()
                .any(|it| it.to_lowercase().contains(&text))
    }
}
