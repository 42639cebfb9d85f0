//! `picket.v1.Anomalies`: all events of an anomaly together, as people work on them. What is needed to find one is
//! kept at hand; what was told of it is read from the log.

mod follow;
mod index;
mod metrics;
mod names;
mod record;
mod related;
mod select;
mod triage;

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard},
    time::{Duration, SystemTime},
};

use api::v1::{self, anomalies_server};
use tokio::{
    sync::{Semaphore, watch},
    time::timeout,
};
use tonic::{Request, Response, Status};

pub(crate) use self::{follow::Follower, metrics::Metrics, record::Ends, related::Activity};
use self::{index::Index, record::Record, select::Wanted};
use crate::{
    access, status,
    store::{Entry, Query, Store},
};

const PAGE: usize = 100;
const LARGEST_PAGE: usize = 1000;
/// Others that are told of beside one.
const RELATED: usize = 32;
/// Searches at once: each takes a processor for some milliseconds.
const SEARCHES: usize = 2;
/// Values of one field of a filter.
const VALUES: usize = 256;
const TEXT: usize = 1024;
/// For what was just committed to be taken in.
const PATIENCE: Duration = Duration::from_secs(2);

/// The service. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Anomalies {
    index: Arc<RwLock<Index>>,
    /// Up to where the log was taken in.
    reached: watch::Receiver<u64>,
    store: Store,
    searches: Arc<Semaphore>,
    metrics: Metrics,
}

#[tonic::async_trait]
impl anomalies_server::Anomalies for Anomalies {
    async fn list(
        &self,
        request: Request<v1::ListAnomaliesRequest>,
    ) -> Result<Response<v1::ListAnomaliesResponse>, Status> {
        let scope = access::scope(&request)?;
        let request = request.into_inner();
        let filter = checked(request.filter.unwrap_or_default())?;
        let size = usize::try_from(request.page_size).unwrap_or(usize::MAX);
        if size > LARGEST_PAGE {
            return Err(Status::invalid_argument(format!(
                "page_size {size} is too large; ask for {LARGEST_PAGE} at most, and then for the next page"
            )));
        }
        let wanted = Wanted {
            filter,
            namespaces: scope.namespaces().map(<[String]>::to_vec),
            offset: usize::try_from(request.offset).unwrap_or(usize::MAX),
            limit: if size == 0 { PAGE } else { size },
        };
        let found = self.search(move |index| index.select(&wanted)).await?;
        let mut response = found.response;
        self.complete(&mut response.anomalies, found.cursors)
            .await?;
        Ok(Response::new(response))
    }

    async fn get(
        &self,
        request: Request<v1::GetAnomalyRequest>,
    ) -> Result<Response<v1::AnomalyDetails>, Status> {
        let scope = access::scope(&request)?;
        let id = request.into_inner().id;
        let seen = scope.namespaces().map(<[String]>::to_vec);
        let told = self.search(move |index| index.details(&id, seen.as_deref(), RELATED));
        let told = told.await??;
        let mut details = v1::AnomalyDetails {
            anomaly: Some(told.anomaly),
            events: self.events(told.own).await?,
            triage: self.events(told.said).await?,
            actions: self.events(told.actions).await?,
            related: told.related,
        };
        for events in [
            &mut details.events,
            &mut details.triage,
            &mut details.actions,
        ] {
            events.retain(|event| scope.sees(event));
        }
        if let Some(anomaly) = &mut details.anomaly {
            anomaly.last = details.events.last().cloned();
        }
        self.complete(&mut details.related, told.cursors).await?;
        Ok(Response::new(details))
    }

    async fn triage(
        &self,
        request: Request<v1::TriageRequest>,
    ) -> Result<Response<v1::Event>, Status> {
        let scope = access::scope(&request)?;
        scope.change("say what became of an anomaly")?;
        let triage = request.into_inner().triage.unwrap_or_default();
        let triage = triage::checked(triage, scope.principal())?;
        let seen = scope.namespaces();
        let last = self.read().visible(&triage.anomaly_id, seen)?.last();
        let about = self.events(vec![last]).await?.pop();
        let about = about.ok_or_else(|| related::unknown(&triage.anomaly_id))?;
        let event = self.store.raise(triage::draft(&about, triage)).await;
        let event = event.map_err(|error| status::failed(&error))?;
        self.metrics.triaged.inc();
        self.reach(event.cursor).await;
        Ok(Response::new(event))
    }
}

impl Anomalies {
    /// Waits until all up to the cursor was taken in, but not for long.
    pub(crate) async fn reach(&self, cursor: u64) {
        let mut reached = self.reached.clone();
        let taken_in = reached.wait_for(|reached| *reached >= cursor);
        // Who is told a moment too early asks again.
        drop(timeout(PATIENCE, taken_in).await);
    }

    /// The anomaly that an event changes, as it is now; none when nobody knows it.
    pub(crate) async fn changed_by(
        &self,
        event: &v1::Event,
        seen: Option<&[String]>,
    ) -> Option<v1::Anomaly> {
        let id = match (&event.triage, &event.action) {
            (Some(triage), _) => &triage.anomaly_id,
            (_, Some(action)) => &action.anomaly_id,
            _ => &event.anomaly_id,
        };
        self.reach(event.cursor).await;
        let (mut anomaly, last) = {
            let index = self.read();
            let record = index.visible(id, seen).ok()?;
            (record.anomaly(&index.names), record.last())
        };
        if last == event.cursor {
            anomaly.last = Some(without_sets(event.clone()));
        } else {
            anomaly.last = self.events(vec![last]).await.ok()?.pop().map(without_sets);
        }
        Some(anomaly)
    }

    /// Who does what to whom, of the anomalies that are open and that the caller may see: the worst first.
    pub(crate) fn burning(&self, seen: Option<&[String]>) -> Vec<(String, v1::Severity, Ends)> {
        self.read().burning(seen)
    }

    /// What each detector finds on each node.
    pub(crate) fn activity(&self) -> Vec<Activity> {
        self.read().activity()
    }

    /// The cursors of the last events of those that were told of since then.
    pub(crate) fn since(&self, at: v1::Timestamp) -> Vec<u64> {
        self.read().since(at)
    }

    /// How far back the log goes, and what is known of it.
    pub(crate) async fn covers(&self, now: SystemTime) -> Result<Duration, Status> {
        let first = self.store.page(Query {
            filter: Arc::default(),
            after: 0,
            limit: 1,
            bytes: 1,
            gaps: false,
        });
        let first = first.await.map_err(|error| status::failed(&error))?;
        let first = first.entries.into_iter().find_map(Entry::event);
        let at = first.and_then(|it| SystemTime::try_from(it.raised_at?).ok());
        Ok(at
            .and_then(|at| now.duration_since(at).ok())
            .unwrap_or_default())
    }

    /// The cursors of the last events of all that are open.
    pub(crate) fn open(&self) -> Vec<u64> {
        self.read().open().map(Record::last).collect()
    }

    /// All up to here was taken in.
    pub(crate) fn cursor(&self) -> u64 {
        *self.reached.borrow()
    }

    /// Searches beside the runtime's own work.
    async fn search<T: Send + 'static>(
        &self,
        search: impl FnOnce(&Index) -> T + Send + 'static,
    ) -> Result<T, Status> {
        let gone = || Status::unavailable("the collector is shutting down");
        let turn = Arc::clone(&self.searches).acquire_owned().await;
        let turn = turn.map_err(|_| gone())?;
        let index = Arc::clone(&self.index);
        let found = tokio::task::spawn_blocking(move || {
            let _turn = turn;
            search(&index.read().unwrap_or_else(PoisonError::into_inner))
        });
        found.await.map_err(|_| gone())
    }

    pub(crate) async fn events(&self, cursors: Vec<u64>) -> Result<Vec<v1::Event>, Status> {
        let events = self.store.events_at(cursors).await;
        events.map_err(|error| status::failed(&error))
    }

    /// Adds the last event of each; one whose events retention has removed meanwhile goes.
    async fn complete(
        &self,
        anomalies: &mut Vec<v1::Anomaly>,
        cursors: Vec<u64>,
    ) -> Result<(), Status> {
        let events = self.events(cursors).await?.into_iter();
        let mut last: HashMap<_, _> = events
            .map(|event| (event.anomaly_id.clone(), event))
            .collect();
        for anomaly in &mut *anomalies {
            anomaly.last = last.remove(&anomaly.id).map(without_sets);
        }
        anomalies.retain(|anomaly| anomaly.last.is_some());
        Ok(())
    }

    fn read(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }
}

/// They are of use to who looks at the one anomaly.
pub(crate) fn without_sets(mut event: v1::Event) -> v1::Event {
    if let Some(ports) = &mut event.ports {
        ports.distinct_set = None;
        ports.refused_set = None;
        ports.answered_set = None;
    }
    event
}

fn checked(filter: v1::AnomalyFilter) -> Result<v1::AnomalyFilter, Status> {
    let lists = [
        filter.namespaces.len(),
        filter.pods.len(),
        filter.nodes.len(),
        filter.detectors.len(),
        filter.severities.len(),
        filter.states.len(),
        filter.triage.len(),
        filter.assignees.len(),
    ];
    if lists.iter().any(|length| *length > VALUES) {
        return Err(Status::invalid_argument(format!(
            "the filter names more than {VALUES} values of one field; name fewer"
        )));
    }
    if filter.text.len() > TEXT {
        return Err(Status::invalid_argument(format!(
            "the text to look for has more than {TEXT} bytes; shorten it"
        )));
    }
    Ok(filter)
}
