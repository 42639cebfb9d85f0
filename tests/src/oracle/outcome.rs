//! What is reported: contacts, answers, refusals and trips.

use agent_common::{
    ANSWERED, CONTACTED, Class, Counter, REFUSED, REPORTED_MASK, Record, RecordKind, Transport,
    contact_entry, endpoint_hash,
};

use super::{
    model::{Model, holds, set},
    packet::{Ends, Host, Segment},
};

/// What a record tells.
#[derive(Clone, Copy)]
pub(super) struct Event {
    pub(super) kind: RecordKind,
    pub(super) transport: Transport,
    pub(super) class: Option<Class>,
    pub(super) segment: Option<Segment>,
    pub(super) pod: Host,
    pub(super) pod_port: u16,
    pub(super) peer: Host,
    pub(super) port: u16,
    pub(super) spoofed: bool,
    pub(super) contained: bool,
}

impl Event {
    pub(super) const fn answer(transport: Transport, ends: Ends) -> Self {
        Self::outcome(RecordKind::Answer, transport, ends)
    }

    pub(super) const fn refusal(transport: Transport, ends: Ends) -> Self {
        Self::outcome(RecordKind::Refusal, transport, ends)
    }

    const fn outcome(kind: RecordKind, transport: Transport, ends: Ends) -> Self {
        Self {
            kind,
            transport,
            class: None,
            segment: None,
            pod: ends.destination,
            pod_port: ends.destination_port,
            peer: ends.source,
            port: ends.source_port,
            spoofed: false,
            contained: false,
        }
    }

    fn record(&self, kind: RecordKind) -> Record {
        let mut record = Record::from_bytes(&[0; 64]);
        record.pod = bytes(self.pod);
        record.peer = bytes(self.peer);
        record.port = self.port;
        record.pod_port = self.pod_port;
        record.kind = kind as u8;
        record.transport = self.transport as u8;
        record.class = self.class.map_or(0, |class| class as u8);
        record.tcp_flags = self.segment.map_or(0, |segment| segment.flags);
        record.tcp_words = self.segment.map_or(0, |segment| segment.words);
        record.spoofed = self.spoofed.into();
        record.contained = self.contained.into();
        record
    }
}

pub(super) fn bytes(host: Host) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (part, word) in bytes.chunks_exact_mut(4).zip(host) {
        part.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

impl Model {
    pub(super) fn answer(&mut self, event: &Event) {
        self.count(Counter::Answered);
        let (word, bit) = Self::in_sketch(self.seed, &event.peer);
        self.drained.answered[word] |= bit;
        let hash = endpoint_hash(self.seed, &event.peer, event.port, event.transport);
        self.report(hash, event);
    }

    /// Whether it is one of something the pod tried.
    pub(super) fn refusal(&mut self, event: &Event) -> bool {
        let tried = match event.transport {
            Transport::Tcp => holds(&self.tcp.window, event.port),
            Transport::Udp | Transport::Sctp => holds(&self.udp.window, event.port),
            Transport::Protocol => self.knows_protocol(event.port),
            Transport::Icmp => self.was_contacted(&event.peer, Transport::Icmp),
            Transport::Neighbour => false,
        };
        if !tried {
            return false;
        }
        self.count(Counter::Refused);
        if matches!(
            event.transport,
            Transport::Tcp | Transport::Udp | Transport::Sctp
        ) {
            set(&mut self.drained.refused, event.port);
        }
        let (word, bit) = Self::in_sketch(self.seed, &event.peer);
        self.drained.refused_hosts[word] |= bit;
        let hash = endpoint_hash(self.seed, &event.peer, event.port, event.transport);
        if self.report(hash, event) {
            self.refusal_budget -= 1;
            if self.refusal_budget == 0 {
                self.trip(event);
            }
        }
        true
    }

    /// Writes a record of what the cache does not know yet; whether it did not.
    pub(super) fn report(&mut self, hash: u64, event: &Event) -> bool {
        let (index, tag) = contact_entry(hash);
        let entry = self.contacts[index];
        let known = if entry & !REPORTED_MASK == tag {
            entry
        } else {
            tag
        };
        let (bit, next) = match event.kind {
            RecordKind::Contact => (CONTACTED, tag | CONTACTED),
            RecordKind::Answer => (ANSWERED, known | ANSWERED),
            RecordKind::Refusal | RecordKind::Trip => (REFUSED, known | REFUSED),
        };
        if known & bit != 0 {
            return false;
        }
        let has_room = self.records < self.records_per_drain;
        self.records += 1;
        if has_room {
            self.written.push(event.record(event.kind));
            self.contacts[index] = next;
        } else {
            self.count(Counter::RecordsDropped);
        }
        true
    }

    /// Always written: a trip is a wake-up.
    pub(super) fn trip(&mut self, event: &Event) {
        self.written.push(event.record(RecordKind::Trip));
    }
}
