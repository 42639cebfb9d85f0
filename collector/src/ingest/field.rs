//! What is allowed in the fields that events and gaps have alike.

use api::v1::Timestamp;

/// Why an event or a gap is refused for good.
#[derive(Debug, thiserror::Error)]
pub(super) enum Fault {
    #[error("it has no {0}")]
    Missing(&'static str),
    #[error("its {field} cannot be {value}")]
    Number { field: &'static str, value: i32 },
    #[error("its {0} is no valid time")]
    Time(&'static str),
    #[error("its {field} has {length} bytes, more than {limit}")]
    Long {
        field: &'static str,
        length: usize,
        limit: usize,
    },
    #[error("it has {count} {field}, more than {limit}")]
    Many {
        field: &'static str,
        count: usize,
        limit: usize,
    },
    #[error("`{0}` is no IP address")]
    Address(String),
    #[error("{0} is no port")]
    Port(u32),
    #[error("one of its sets of ports is none")]
    PortSet,
    #[error("it says what a person made of an anomaly, which only the collector raises")]
    Triage,
    #[error("its window is no valid duration")]
    Window,
    #[error("its last_sequence {last} is not between its sequence {first} and 2^63 - 1")]
    Last { first: u64, last: u64 },
    #[error("it says that {missing} events are missing of {span}")]
    Count { missing: u64, span: u64 },
    #[error("it says that nothing is missing")]
    Nothing,
    #[error("its lost events by severity are {counted}, more than the {events} in all")]
    Lost { counted: u64, events: u64 },
}

/// One of an enumeration, which has to be set.
pub(super) fn set(field: &'static str, value: i32) -> Result<(), Fault> {
    // Zero stands for unspecified in every enumeration.
    if value == 0 {
        return Err(Fault::Missing(field));
    }
    number(field, value)
}

/// One of an enumeration, if it is set. An agent may be newer than this collector, so its number is kept also when it
/// stands for nothing here: who knows it will read it.
pub(super) fn number(field: &'static str, value: i32) -> Result<(), Fault> {
    if value < 0 {
        return Err(Fault::Number { field, value });
    }
    Ok(())
}

pub(super) fn text(field: &'static str, text: &str, limit: usize) -> Result<(), Fault> {
    if text.len() > limit {
        return Err(Fault::Long {
            field,
            length: text.len(),
            limit,
        });
    }
    Ok(())
}

pub(super) fn few<T>(field: &'static str, list: &[T], limit: usize) -> Result<(), Fault> {
    if list.len() > limit {
        return Err(Fault::Many {
            field,
            count: list.len(),
            limit,
        });
    }
    Ok(())
}

/// A time from 1970 to 2262: what fits nanoseconds.
pub(super) fn time(field: &'static str, at: Timestamp) -> Result<(), Fault> {
    let nanoseconds = at.seconds.checked_mul(1_000_000_000);
    if at.seconds < 0 || nanoseconds.is_none() || !(0..1_000_000_000).contains(&at.nanos) {
        return Err(Fault::Time(field));
    }
    Ok(())
}
