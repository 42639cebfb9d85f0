//! Anomalies, page after page, until there are enough of those that are wanted.

use api::v1::{Anomaly, AnomalyFilter, Event, ListAnomaliesRequest, ListAnomaliesResponse};

use crate::{
    filter::Rest,
    progress::Progress,
    server::{Server, ServerError},
};

/// The most that a server gives at once.
const PAGE: u32 = 1000;

/// What the server is asked for, and what is left out of its answer.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) filter: AnomalyFilter,
    pub(super) rest: Rest,
}

impl Wanted {
    /// Of everybody: what is only to tell how far the server is.
    pub(super) fn anything(&self) -> Self {
        Self {
            filter: self.filter.clone(),
            rest: Rest::default(),
        }
    }

    fn passes(&self, anomaly: &Anomaly) -> bool {
        let none = Event::default();
        let last = anomaly.last.as_ref().unwrap_or(&none);
        let state = api::names::anomaly_state(anomaly.state());
        self.rest.passes(last, &state)
    }
}

/// In the order in which the server gives them.
pub(super) async fn most_urgent(
    server: &Server,
    wanted: &Wanted,
    count: u32,
) -> Result<ListAnomaliesResponse, ServerError> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut listed: Option<ListAnomaliesResponse> = None;
    let mut found: Vec<Anomaly> = Vec::new();
    let mut offset = 0;
    let mut progress = Progress::new("anomalies looked at");
    loop {
        let room = u32::try_from(count - found.len()).map_or(PAGE, |it| it.min(PAGE));
        let request = ListAnomaliesRequest {
            filter: Some(wanted.filter.clone()),
            offset,
            page_size: if wanted.rest.is_empty() { room } else { PAGE },
        };
        let mut page = server.anomalies(request).await?;
        let got = page.anomalies.len();
        progress.add(got);
        found.extend(page.anomalies.drain(..).filter(|it| wanted.passes(it)));
        found.truncate(count);
        offset = offset.saturating_add(u32::try_from(got).unwrap_or(u32::MAX));
        let is_last = got == 0 || offset >= page.matching;
        listed.get_or_insert(page);
        if is_last || found.len() >= count {
            break;
        }
    }
    let mut listed = listed.unwrap_or_default();
    if !wanted.rest.is_empty() {
        // How many more there are, only those that were not looked at could tell.
        listed.matching = u32::try_from(found.len()).unwrap_or(u32::MAX);
    }
    listed.anomalies = found;
    Ok(listed)
}

/// Those that something was told of last, the latest first.
pub(super) async fn latest(
    server: &Server,
    wanted: &Wanted,
    count: u32,
) -> Result<ListAnomaliesResponse, ServerError> {
    let mut listed = most_urgent(server, wanted, u32::MAX).await?;
    let at = |it: &Anomaly| it.updated_at.map(|it| (it.seconds, it.nanos));
    listed.anomalies.sort_by_key(|it| std::cmp::Reverse(at(it)));
    listed
        .anomalies
        .truncate(usize::try_from(count).unwrap_or(usize::MAX));
    Ok(listed)
}
