//! What is kept at hand of one anomaly: enough to find it. What was told of it is in the log.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use api::{filter, v1};

use super::names::{Name, Names};
use crate::store::nanoseconds;

/// Of its own events, the first and the last ones.
pub(super) const FIRST: usize = 128;
const OWN: usize = 2 * FIRST;
/// The last of what people made of it.
const TRIAGE: usize = 256;
const ACTIONS: usize = 64;
/// Bytes of what is searched.
const TEXT: usize = 2048;
/// What a record takes besides what it points to, with its place in all tables.
const OVERHEAD: usize = 512;

/// One anomaly.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) id: Arc<str>,
    pub(super) namespace: Name,
    pub(super) node: Name,
    pub(super) detector: Name,
    pub(super) assignee: Name,
    pub(super) pod: Box<str>,
    pub(super) severity: i32,
    pub(super) triage: v1::TriageState,
    pub(super) shadow: bool,
    /// The anomaly of several pods that it is part of.
    pub(super) into: Option<Arc<str>>,
    /// In nanoseconds since 1970, as are the others.
    pub(super) opened_at: i64,
    pub(super) updated_at: i64,
    /// None while it is open.
    pub(super) closed_at: Option<i64>,
    pub(super) events: u32,
    pub(super) notes: u32,
    /// Of whoever raised its last event.
    pub(super) epoch: u64,
    /// In small letters.
    pub(super) text: Box<str>,
    /// Tells sources apart; 0 when unknown.
    pub(super) source: u64,
    pub(super) targets: Box<[u64]>,
    /// Where its events are.
    pub(super) own: Vec<u64>,
    pub(super) said: Vec<u64>,
    pub(super) actions: Vec<u64>,
    /// While it is open.
    pub(super) ends: Option<Box<Ends>>,
}

/// Who does it to whom.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ends {
    pub(crate) source: Option<v1::Endpoint>,
    pub(crate) targets: Vec<v1::Endpoint>,
}

impl Record {
    /// Of the first event that is seen of it.
    pub(super) fn new(event: &v1::Event, names: &mut Names) -> Self {
        let mut record = Self {
            id: event.anomaly_id.as_str().into(),
            namespace: names.take(""),
            node: names.take(""),
            detector: names.take(&event.detector),
            assignee: names.take(""),
            pod: Box::default(),
            severity: 0,
            triage: v1::TriageState::New,
            shadow: false,
            into: None,
            opened_at: event.crossed_at.or(event.raised_at).map_or(0, nanoseconds),
            updated_at: 0,
            closed_at: None,
            events: 0,
            notes: 0,
            epoch: 0,
            text: Box::default(),
            source: 0,
            targets: Box::default(),
            own: Vec::new(),
            said: Vec::new(),
            actions: Vec::new(),
            ends: None,
        };
        record.tell(event, names);
        record
    }

    /// Takes in one more event of its own.
    pub(super) fn tell(&mut self, event: &v1::Event, names: &mut Names) {
        let subject = filter::subject(event);
        let namespace = subject.map_or("", |it| &it.namespace);
        let node = event.id.as_ref().map_or("", |id| &id.node);
        swap(&mut self.namespace, namespace, names);
        swap(&mut self.node, node, names);
        self.epoch = event.id.as_ref().map_or(0, |id| id.epoch);
        let pod = subject.map_or("", |it| &it.pod);
        if *self.pod != *pod {
            self.pod = pod.into();
        }
        self.severity = event.severity;
        self.shadow = event.shadow;
        if !event.correlated_into.is_empty() {
            self.into = Some(event.correlated_into.as_str().into());
        }
        self.updated_at = event.raised_at.map_or(0, nanoseconds);
        let closed = event.state() == v1::State::Closed;
        self.closed_at = closed.then_some(self.updated_at);
        self.events += 1;
        self.text = searched(event);
        self.source = event.source.as_ref().map_or(0, key);
        let targets = endpoints(event).map(key).filter(|it| *it != 0);
        self.targets = targets.collect();
        self.ends = (!closed).then(|| Box::new(Ends::of(event)));
        if self.own.len() >= OWN {
            self.own.remove(FIRST);
        }
        self.own.push(event.cursor);
    }

    /// Takes in what somebody made of it.
    pub(super) fn triage(&mut self, triage: &v1::Triage, cursor: u64, names: &mut Names) {
        self.notes += 1;
        match triage.kind() {
            v1::TriageKind::Acknowledged => self.triage = v1::TriageState::Acknowledged,
            v1::TriageKind::Resolved => self.triage = v1::TriageState::Resolved,
            v1::TriageKind::Reopened => self.triage = v1::TriageState::New,
            v1::TriageKind::Assigned => swap(&mut self.assignee, &triage.assignee, names),
            v1::TriageKind::Noted | v1::TriageKind::Unspecified => {}
        }
        push(&mut self.said, TRIAGE, cursor);
    }

    /// Takes in what was done for it.
    pub(super) fn act(&mut self, cursor: u64) {
        push(&mut self.actions, ACTIONS, cursor);
    }

    /// Whoever raised it is no more, and so it goes on no more.
    pub(super) fn end(&mut self, at: i64) {
        self.closed_at = Some(at.max(self.updated_at));
        self.ends = None;
    }

    pub(super) const fn is_open(&self) -> bool {
        self.closed_at.is_none()
    }

    /// The cursor of its last own event.
    pub(super) fn last(&self) -> u64 {
        self.own.last().copied().unwrap_or(0)
    }

    /// Gives back its names.
    pub(super) fn release(&self, names: &mut Names) {
        for name in [self.namespace, self.node, self.detector, self.assignee] {
            names.release(name);
        }
    }

    /// About so many bytes.
    pub(super) fn bytes(&self) -> usize {
        let cursors = self.own.capacity() + self.said.capacity() + self.actions.capacity();
        let texts = self.id.len() + self.pod.len() + self.text.len();
        let ends = self
            .ends
            .as_ref()
            .map_or(0, |ends| 256 * (1 + ends.targets.len()));
        OVERHEAD + texts + ends + 8 * (cursors + self.targets.len())
    }

    /// What is said of it in a list, but for its last event.
    pub(super) fn anomaly(&self, names: &Names) -> v1::Anomaly {
        let state = match self.closed_at {
            None => v1::AnomalyState::Open,
            Some(_) => v1::AnomalyState::Closed,
        };
        v1::Anomaly {
            id: self.id.as_ref().into(),
            state: state.into(),
            triage: self.triage.into(),
            assignee: names.text(self.assignee).into(),
            opened_at: Some(time(self.opened_at)),
            updated_at: Some(time(self.updated_at)),
            closed_at: self.closed_at.map(time),
            events: self.events,
            notes: self.notes,
            last: None,
        }
    }
}

impl Ends {
    fn of(event: &v1::Event) -> Self {
        Self {
            source: event.source.as_ref().filter(|it| key(it) != 0).map(bare),
            targets: endpoints(event).map(bare).collect(),
        }
    }
}

/// Tells one endpoint from another, by the best that is known of it; 0 when nothing is.
pub(super) fn key(endpoint: &v1::Endpoint) -> u64 {
    let v1::Endpoint {
        uid,
        namespace,
        pod,
        workload,
        service,
        address,
        ..
    } = endpoint;
    let parts = match (
        &uid[..],
        &pod[..],
        &workload[..],
        &service[..],
        &address[..],
    ) {
        ("", "", "", "", "") => return 0,
        ("", "", "", "", address) => ("a", address, ""),
        ("", "", "", service, _) => ("s", &namespace[..], service),
        ("", "", workload, ..) => ("w", &namespace[..], workload),
        ("", pod, ..) => ("p", &namespace[..], pod),
        (uid, ..) => ("u", uid, ""),
    };
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish().max(1)
}

fn endpoints(event: &v1::Event) -> impl Iterator<Item = &v1::Endpoint> {
    event.targets.iter().filter_map(|it| it.endpoint.as_ref())
}

/// Who it is, and no more.
fn bare(endpoint: &v1::Endpoint) -> v1::Endpoint {
    v1::Endpoint {
        labels: Default::default(),
        interface: String::new(),
        unknown: String::new(),
        ..endpoint.clone()
    }
}

fn searched(event: &v1::Event) -> Box<str> {
    let mut text = String::with_capacity(256);
    let mut add = |part: &str| {
        if !part.is_empty() && text.len() < TEXT {
            text.extend(
                part.chars()
                    .take(TEXT - text.len())
                    .flat_map(char::to_lowercase),
            );
            text.push('\n');
        }
    };
    add(&event.summary);
    add(&event.anomaly_id);
    for endpoint in event.source.iter().chain(endpoints(event)) {
        let v1::Endpoint {
            namespace,
            pod,
            address,
            service,
            node,
            owner,
            ..
        } = endpoint;
        for part in [pod, address, service, namespace, node] {
            add(part);
        }
        add(owner.as_ref().map_or("", |owner| &owner.name));
    }
    text.into()
}

fn swap(name: &mut Name, text: &str, names: &mut Names) {
    if names.text(*name) != text {
        let before = std::mem::replace(name, names.take(text));
        names.release(before);
    }
}

/// The last ones are kept.
fn push(cursors: &mut Vec<u64>, most: usize, cursor: u64) {
    if cursors.len() >= most {
        cursors.remove(0);
    }
    cursors.push(cursor);
}

pub(super) fn time(nanoseconds: i64) -> v1::Timestamp {
    let second = 1_000_000_000;
    v1::Timestamp {
        seconds: nanoseconds.div_euclid(second),
        nanos: i32::try_from(nanoseconds.rem_euclid(second)).unwrap_or(0),
    }
}
