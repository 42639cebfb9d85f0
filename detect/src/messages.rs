//! The DNS messages of an observation, read once for all detectors that look at them.

mod message;
mod name;

use std::{collections::VecDeque, net::IpAddr, time::Duration};

pub(crate) use self::{
    message::Message,
    name::{Name, Service, is_public},
};
use crate::{Observation, Sample, SampleKind, Time};

/// DNS, over UDP and TCP.
const PORT: u16 = 53;
/// Messages read of one observation; the datapath shows 128 samples at most.
const MESSAGES: usize = 256;
/// Who answered others is a name server for so long.
const SERVES: Duration = Duration::from_secs(3600);
/// Questions that an answer may belong to.
const QUESTIONS: usize = 512;
/// An answer that is later has none who waits for it: resolv.conf(5) allows a timeout of 30 s at most.
const WAITS: Duration = Duration::from_secs(30);

/// What the pod asked and was answered.
///
/// An answer to what the pod did not ask is not shown, or whoever forges some accuses it.
///
/// A pod that serves names asks others what its clients ask it. None of that is its own, so nothing of it
/// is shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    /// Those of the last observation, in order.
    pub(crate) list: Vec<Exchanged>,
    /// What the pod sent as DNS in it that is none.
    pub(crate) malformed: Vec<Malformed>,
    /// Names the pod asked for of late, by their key.
    asked: VecDeque<(Time, u64)>,
    /// When somebody asked the pod.
    asked_at: Option<Time>,
    /// When it answered somebody who asked.
    served_at: Option<Time>,
}

/// A message between the pod and a name server.
#[derive(Clone, Debug)]
pub(crate) struct Exchanged {
    pub(crate) at: Time,
    pub(crate) server: IpAddr,
    /// Bytes of the message.
    pub(crate) bytes: u32,
    pub(crate) message: Message,
}

/// A message the pod sent that is none.
#[derive(Clone, Debug)]
pub(crate) struct Malformed {
    pub(crate) at: Time,
    pub(crate) peer: IpAddr,
    /// What it begins with, for people.
    pub(crate) beginning: String,
}

/// Whether a message between two name servers is of the pod as a client: what it asks, or an answer to it.
fn is_clients(sample: &Sample) -> bool {
    let header = match sample.kind {
        SampleKind::Dns => sample.payload.get(2),
        // Behind the length.
        SampleKind::FirstData => sample.payload.get(4),
    };
    let is_answer = header.is_some_and(|flags| flags & 0x80 != 0);
    sample.sent != is_answer
}

impl Messages {
    /// Reads the messages of an observation in place of those before. What found no room is added to
    /// `forgotten`.
    pub(crate) fn observe(&mut self, observation: &Observation, forgotten: &mut u64) {
        if !self.list.is_empty() || !self.malformed.is_empty() {
            (self.list, self.malformed) = Default::default();
        }
        for sample in &observation.samples {
            if self.list.len() + self.malformed.len() == MESSAGES {
                *forgotten += 1;
                continue;
            }
            match (sample.pod_port, sample.port) {
                (PORT, PORT) if is_clients(sample) => self.ask(sample),
                (PORT, _) => self.serve(sample),
                (_, PORT) => self.ask(sample),
                _ => {}
            }
        }
    }

    /// A message between the pod's own name server and a client.
    fn serve(&mut self, sample: &Sample) {
        if sample.kind != SampleKind::Dns {
            return;
        }
        let reading = message::datagram(&sample.payload, sample.payload_bytes as usize);
        if sample.sent && reading.is_malformed {
            self.malformed.push(Malformed::of(sample));
        }
        let Some(message) = reading.message else {
            return;
        };
        match (sample.sent, message.answer) {
            (false, None) => self.asked_at = Some(sample.at),
            (true, Some(_)) if self.asked_at.is_some() => self.served_at = Some(sample.at),
            _ => {}
        }
    }

    /// A message between the pod and a name server.
    fn ask(&mut self, sample: &Sample) {
        let reading = match sample.kind {
            SampleKind::Dns => message::datagram(&sample.payload, sample.payload_bytes as usize),
            SampleKind::FirstData => message::stream(&sample.payload),
        };
        if sample.sent && reading.is_malformed {
            self.malformed.push(Malformed::of(sample));
        }
        let is_server = |at: Time| sample.at.since(at) < SERVES;
        let Some(message) = reading.message else {
            return;
        };
        let name = message.name.key();
        let is_shown = match (sample.sent, message.answer) {
            (true, None) => {
                self.expect(sample.at, name);
                true
            }
            (false, Some(_)) => self.is_expected(sample.at, name),
            _ => false,
        };
        if is_shown && !self.served_at.is_some_and(is_server) {
            self.list.push(Exchanged {
                at: sample.at,
                server: sample.peer,
                bytes: sample.payload_bytes,
                message,
            });
        }
    }

    fn expect(&mut self, at: Time, name: u64) {
        while self.asked.len() == QUESTIONS || self.asked.front().is_some_and(|it| is_late(*it, at))
        {
            self.asked.pop_front();
        }
        self.asked.push_back((at, name));
    }

    fn is_expected(&self, at: Time, name: u64) -> bool {
        let mut asked = self.asked.iter().rev();
        asked.any(|&it| it.1 == name && !is_late(it, at))
    }

    /// Bytes it takes at most, itself not counted.
    #[cfg(test)]
    pub(crate) fn heap_bytes(&self) -> usize {
        let text = self.list.iter().map(|it| it.message.name.text().len());
        self.list.capacity() * size_of::<Exchanged>()
            + self.malformed.capacity() * (size_of::<Malformed>() + Malformed::BYTES)
            + self.asked.capacity() * size_of::<(Time, u64)>()
            + text.sum::<usize>()
    }
}

fn is_late((asked_at, _): (Time, u64), at: Time) -> bool {
    at.since(asked_at) > WAITS
}

/// Bytes of a malformed message that are shown.
const BEGINNING: usize = 24;

impl Malformed {
    /// Bytes it takes at most beside itself.
    #[cfg(test)]
    pub(crate) const BYTES: usize = 4 * BEGINNING;

    fn of(sample: &Sample) -> Self {
        let beginning = sample.payload.iter().take(BEGINNING);
        Self {
            at: sample.at,
            peer: sample.peer,
            beginning: beginning
                .copied()
                .flat_map(std::ascii::escape_default)
                .map(char::from)
                .collect(),
        }
    }
}
