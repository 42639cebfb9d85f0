//! What was correlated before a start, or before a commit that failed, is read from the log again.

use std::collections::BTreeMap;

use api::{
    correlations::COLLECTOR,
    encoding,
    v1::{self, Timestamp},
};
use rusqlite::{Connection, params};

use super::entry::nanoseconds;
use crate::correlate::{Correlator, Time};

/// Events of the collector's own that are looked through for correlations that are still open: those that
/// are, are among the last.
const OWN: u64 = 16_384;

/// Brings the correlator to where the log ends.
pub(super) fn recall(
    connection: &Connection,
    correlator: &mut Correlator,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let epoch = match correlator.epoch() {
        0 => next_epoch(connection, now)?,
        epoch => epoch,
    };
    let sequence: Option<u64> = connection.query_row(
        "SELECT max(sequence) FROM log WHERE node = ?1 AND epoch = ?2",
        params![COLLECTOR, epoch],
        |row| row.get(0),
    )?;
    correlator.reset(epoch, sequence.unwrap_or(0));
    let oldest = oldest_open(connection)?.map_or(now.into(), |it| it.min(now.into()));
    let since = Timestamp::from(oldest.before(correlator.reach()));
    let first: Option<u64> = connection.query_row(
        "SELECT min(cursor) FROM log WHERE raised_at >= ?1",
        [nanoseconds(since)],
        |row| row.get(0),
    )?;
    let Some(first) = first else {
        return Ok(());
    };
    let mut statement = connection.prepare(
        "SELECT event FROM log WHERE cursor >= ?1 AND event IS NOT NULL ORDER BY cursor",
    )?;
    let mut rows = statement.query([first])?;
    while let Some(row) = rows.next()? {
        // A damaged event is told of when it is read for somebody.
        if let Ok(event) = encoding::decode(&row.get::<_, Vec<u8>>(0)?) {
            correlator.replay(&event, now.into());
        }
    }
    Ok(())
}

/// Later than any before, also when the clock was set back.
fn next_epoch(connection: &Connection, now: Timestamp) -> rusqlite::Result<u64> {
    let newest: Option<u64> = connection.query_row(
        "SELECT max(epoch) FROM log WHERE node = ?1",
        [COLLECTOR],
        |row| row.get(0),
    )?;
    let now = u64::try_from(nanoseconds(now)).unwrap_or(0);
    Ok(now.max(newest.unwrap_or(0) + 1))
}

/// When the oldest correlation that is open crossed its threshold.
fn oldest_open(connection: &Connection) -> rusqlite::Result<Option<Time>> {
    let mut statement = connection.prepare(
        "SELECT event FROM log WHERE node = ?1 ORDER BY epoch DESC, sequence DESC LIMIT ?2",
    )?;
    let mut rows = statement.query(params![COLLECTOR, OWN])?;
    let mut last = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if let Ok(event) = encoding::decode(&row.get::<_, Vec<u8>>(0)?) {
            last.entry(event.anomaly_id.clone()).or_insert(event);
        }
    }
    let open = last.values().filter(|it| it.state() != v1::State::Closed);
    Ok(open.filter_map(|it| it.crossed_at).map(Time::from).min())
}
