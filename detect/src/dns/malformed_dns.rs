//! Finds pods that send to or from the port of DNS what is no DNS message.
//!
//! The port is open in most policies, so what wants out uses it; and who looks for a fault in a name server
//! sends it what no resolver would. A datagram that is damaged on its way fails its checksum and reaches
//! nobody, so a single one was meant; but only several are worth a look.

use std::time::Duration;

use crate::{
    Anomaly, Criterion, Measure, Severity, Words,
    case::{self, Case, Opening, Sign},
    detector::{Detector, Seen},
    limits::{DAY, MINUTE, SECOND, thresholds},
    messages::Malformed,
    probes::Probes,
    tally::Tally,
    window::HORIZONS,
};

/// Messages remembered.
const MESSAGES: u32 = 64;

thresholds! {
    /// Thresholds of the detector of malformed DNS.
    Thresholds {
        /// Messages within a minute that are no DNS; 1.
        ///
        /// Worth knowing when something else happens.
        messages_per_minute: u32 = 1, 1 => MESSAGES,
            "messages that are no DNS, to be told";
        /// As many make it worth a look; 4.
        ///
        /// A client sends a query twice when nobody answers (`attempts` of resolv.conf(5)): so many are not
        /// one that is broken.
        several_messages: u32 = 4, 1 => MESSAGES,
            "messages that are no DNS, to be worth a look";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

/// What is known of a pod.
#[derive(Clone, Debug)]
pub(crate) struct Pod {
    messages: Tally<u64, Malformed>,
    serial: u64,
    case: Option<Box<Case>>,
}

impl Default for Pod {
    fn default() -> Self {
        Self {
            messages: Tally::new(MESSAGES as usize),
            serial: 0,
            case: None,
        }
    }
}

impl Detector for Pod {
    type Thresholds = Thresholds;

    const ID: &'static str = "malformed_dns";

    const WORDS: Words = Words {
        opened: "sent {} as DNS what is none",
        updated: "still sends {} as DNS what is none",
        closed: "stopped sending {} as DNS what is none",
        samples: "such as",
    };

    fn observe(&mut self, seen: &mut Seen<'_>, thresholds: &Thresholds) {
        for malformed in &seen.messages.malformed {
            let at = malformed.at;
            self.serial += 1;
            self.messages
                .insert(self.serial, malformed.clone(), at, seen.forgotten);
            let counted = self.messages.counts(at)[0];
            match &mut self.case {
                Some(case) => case.add(&sign(malformed), 1),
                None if counted >= thresholds.messages_per_minute => {
                    let opening = Opening {
                        id: seen.next_id(),
                        detector: Self::ID,
                        attack_ids: &["T1071.004", "T1095"],
                        severity: Severity::Info,
                        crossed: Criterion {
                            measure: Measure::MalformedMessages,
                            counted: counted.into(),
                            threshold: thresholds.messages_per_minute.into(),
                            window: HORIZONS[0],
                        },
                        crossed_at: at,
                    };
                    let evidence = self.messages.since(at - HORIZONS[0]);
                    let evidence = evidence.map(|(_, _, malformed)| sign(malformed));
                    self.case = Some(Box::new(Case::open(opening, evidence)));
                }
                None => {}
            }
            if let Some(case) = &mut self.case
                && counted >= thresholds.several_messages
            {
                case.rise(Severity::Medium);
            }
        }
        if seen.live(&mut self.case, thresholds.quiet) {
            self.messages.clear();
        }
    }

    #[cfg(test)]
    fn heap_bytes(&self) -> usize {
        self.messages.heap_bytes()
            + self.messages.len() * Malformed::BYTES
            + self.case.as_ref().map_or(0, |case| case.bytes())
    }

    fn close(&mut self, probes: &Probes, found: &mut Vec<Anomaly>) {
        case::close(&mut self.case, probes, found);
    }
}

fn sign(malformed: &Malformed) -> Sign {
    Sign {
        at: malformed.at,
        passed_at: malformed.at,
        target: Some(malformed.peer),
        sample: Some(malformed.beginning.clone()),
        ..Sign::default()
    }
}
