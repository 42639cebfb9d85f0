//! What `picket.v1.Anomalies` answers, as JSON.

use super::event::Event;
use crate::{names, times};

form! {
    /// All events of an anomaly together.
    pub Anomaly of Anomaly as it {
        id: &'a str = &it.id,
        state: String = names::anomaly_state(it.state),
        triage: String = names::triage_state(it.triage),
        assignee: &'a str = &it.assignee,
        opened_at: Option<String> = times::exact(it.opened_at),
        updated_at: Option<String> = times::exact(it.updated_at),
        closed_at: Option<String> = times::exact(it.closed_at),
        events: u32 = it.events,
        notes: u32 = it.notes,
        last: Option<Event<'a>> = it.last.as_ref().map(Event::new),
    }
}

form! {
    /// A page of anomalies.
    pub Anomalies of ListAnomaliesResponse as it {
        anomalies: Vec<Anomaly<'a>> = it.anomalies.iter().map(Anomaly::new).collect(),
        matching: u32 = it.matching,
        open: u32 = it.open,
        facets: Vec<Facet<'a>> = it.facets.iter().map(Facet::new).collect(),
        cursor: u64 = it.cursor,
        forgotten: u64 = it.forgotten,
    }
}

form! {
    /// How many anomalies share a value.
    pub(super) Facet of Facet as it {
        field: &'a str = &it.field,
        value: &'a str = &it.value,
        count: u32 = it.count,
    }
}

form! {
    /// Everything that was told of one.
    pub Details of AnomalyDetails as it {
        anomaly: Option<Anomaly<'a>> = it.anomaly.as_ref().map(Anomaly::new),
        events: Vec<Event<'a>> = it.events.iter().map(Event::new).collect(),
        triage: Vec<Event<'a>> = it.triage.iter().map(Event::new).collect(),
        actions: Vec<Event<'a>> = it.actions.iter().map(Event::new).collect(),
        related: Vec<Anomaly<'a>> = it.related.iter().map(Anomaly::new).collect(),
    }
}
