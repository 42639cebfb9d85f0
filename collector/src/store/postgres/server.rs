//! Where to connect, for how long to wait, and what is counted.

use std::time::Duration;

use super::super::{database::Postgres, metrics::Metrics};

/// The longest that a commit may take, and anything else that is asked of the server. Its own time-outs are
/// shorter, see [`super::connect`].
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// Where to connect, and what is counted.
#[derive(Clone, Debug)]
pub(super) struct Server {
    pub(super) database: Postgres,
    pub(super) metrics: Metrics,
}
