//! What was correlated before a start, or before a commit that failed, is read from the log again.

use std::collections::BTreeMap;

use api::v1::{self, Timestamp};

use super::{
    engine::Engine,
    entry::{Entry, Row, nanoseconds},
    error::Cause,
};
use crate::correlate::{Correlator, Time};

/// Events of collectors that are looked through for correlations that are still open: those that are, are
/// among the last.
const OWN: usize = 16_384;

/// Brings the correlator to where the log ends; the cursor of that.
pub(super) async fn recall<E: Engine>(
    engine: &mut E,
    correlator: &mut Correlator,
    now: Timestamp,
) -> Result<u64, Cause> {
    correlator.reset(correlator.epoch(), 0);
    let oldest = oldest_open(engine.own(OWN).await?);
    let oldest = oldest.map_or(now.into(), |it| it.min(now.into()));
    let since = Timestamp::from(oldest.before(correlator.reach()));
    let first = engine.before(nanoseconds(since)).await?;
    catch_up(engine, correlator, first, now).await
}

/// Takes in what was written after a cursor; the cursor of the last.
pub(super) async fn catch_up<E: Engine>(
    engine: &mut E,
    correlator: &mut Correlator,
    mut seen: u64,
    now: Timestamp,
) -> Result<u64, Cause> {
    loop {
        let rows = engine.rows(seen).await?;
        seen = replay(correlator, &rows, now).unwrap_or(seen);
        if rows.len() < E::ROWS {
            return Ok(seen);
        }
    }
}

/// Takes in rows of the log; the cursor of the last.
pub(super) fn replay(correlator: &mut Correlator, rows: &[Row], now: Timestamp) -> Option<u64> {
    for row in rows {
        // A damaged event is told of when it is read for somebody.
        if let Ok(Entry::Event(event)) = row.entry() {
            correlator.replay(&event, now.into());
        }
    }
    rows.last().map(|row| row.cursor)
}

/// When the oldest correlation that is open crossed its threshold.
fn oldest_open(mut own: Vec<Row>) -> Option<Time> {
    own.sort_unstable_by_key(|row| row.cursor);
    let mut last = BTreeMap::new();
    for row in own {
        if let Ok(Entry::Event(event)) = row.entry()
            && event.triage.is_none()
        {
            last.insert(event.anomaly_id.clone(), event);
        }
    }
    let open = last.values().filter(|it| it.state() != v1::State::Closed);
    open.filter_map(|it| it.crossed_at).map(Time::from).min()
}
