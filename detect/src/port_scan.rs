//! Finds pods that try many ports, by the ports that fail and by the ports there are.
//!
//! It judges probes over TCP, UDP and SCTP, of every [`Technique`](crate::Technique), by three rules:
//!
//! - **Failed ports of one destination**, within a minute and within an hour. A port of a destination fails
//!   when it refuses, or when a probe over TCP or SCTP has neither an answer nor a refusal after the silence
//!   (much that is sent over UDP wants no answer); an answer that
//!   comes later takes the failure back, and what has answered within a day never counts. An outcome counts
//!   only of a probe that was sent, so that nobody else can accuse a pod. While records are lost the probe's
//!   may be among them, and any outcome counts; one of them may have been an answer, so each excuses one
//!   silent probe.
//! - **Ports of one destination probed with crafted packets** within an hour, whatever came of them.
//! - **New low ports of one destination** within a minute, whatever came of them.
//! - **Distinct TCP ports of the pod** below 32,768, within a minute and within an hour, whatever came of them. Ports have
//!   no times of their own: they count from the `now` of their observation.
//!
//! What is counted counts for the whole window and for less than a sixtieth of it longer: there is
//! no seam, and nothing is forgotten early. When several rules are crossed in one observation, the
//! anomaly names the first; of a rule it names the minute when both windows are crossed.
//!
//! # Life of an anomaly
//! A pod has one open anomaly at most. It opens with the ports of the window that was crossed. It
//! is updated when its distinct ports reach another power of ten, and when another destination
//! crosses the first rule. It closes after the quiet without a port, a refused port or a failed port of a
//! destination that is new to it. Closing spends the evidence: everything counted so far is forgotten, so
//! only that many failures or ports anew open another.
//!
//! It is `High` once a destination has crossed one of the first two rules, else `Medium`. A destination is a
//! target when a port of it failed or when more than one was probed; when none is, all are.
//!
//! # Budget
//! Without an open anomaly: what is left to the nearest threshold. With one: what is left to the
//! next power of ten, and as many refusals as a new destination needs to cross, but at least a
//! tenth of those there were, so that a scan of all ports wakes the detector about 70 times.

mod news;
mod pod;
mod report;
mod scan;
mod thresholds;

pub(crate) use self::pod::Pod;
pub use self::thresholds::Thresholds;
