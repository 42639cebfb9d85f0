//! What the server knew at one time.

use api::v1::{GetGraphResponse, ListAnomaliesResponse, Node};

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Snapshot {
    pub(super) anomalies: ListAnomaliesResponse,
    pub(super) graph: GetGraphResponse,
    /// Or why they are not shown to whoever asks.
    pub(super) nodes: Result<Vec<Node>, String>,
    /// New ports a minute from which on a pod scans, whatever came of them; none when nobody says.
    pub(super) ports_per_minute: Option<u32>,
}
