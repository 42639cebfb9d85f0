//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod anomaly;
mod case;
mod detector;
mod detectors;
mod dns;
mod icmp_tunnel;
mod ip_sweep;
mod kinds;
mod limits;
mod messages;
mod observation;
mod odd_flags;
mod packets;
mod port_scan;
mod port_scan_target;
mod port_set;
mod probes;
mod protocol;
mod protocol_mismatch;
mod protocol_scan;
mod recent_ports;
mod sketch;
mod spoofed_source;
mod tally;
mod time;
mod tiny_fragments;
mod unexpected_tunnel;
mod window;

pub use anomaly::{
    Anomaly, AnomalyId, Coverage, Criterion, PortCounts, Role, Severity, State, Target,
};
pub use detector::{Budget, Words};
pub use detectors::{
    DETECTORS, Detectors, Mode, Outcomes, Setting, Settings, UnknownDetector, UnknownMode, about,
    words,
};
pub use dns::{
    dga::Thresholds as DgaThresholds, dns_enumeration::Thresholds as DnsEnumerationThresholds,
    dns_tunnel::Thresholds as DnsTunnelThresholds,
    malformed_dns::Thresholds as MalformedDnsThresholds,
    zone_transfer::Thresholds as ZoneTransferThresholds,
};
pub use icmp_tunnel::Thresholds as IcmpTunnelThresholds;
pub use ip_sweep::Thresholds as IpSweepThresholds;
pub use kinds::{Class, Count, Measure, ParseFailure, Technique, Transport, VolumeClass};
pub use limits::{Limit, LimitError, Quantity, Thresholds};
pub use observation::{Contact, Hosts, Observation, Outcome, Sample, SampleKind, Subject, Volume};
pub use odd_flags::Thresholds as OddFlagsThresholds;
pub use port_scan::Thresholds as PortScanThresholds;
pub use port_scan_target::Thresholds as PortScanTargetThresholds;
pub use protocol_mismatch::Thresholds as ProtocolMismatchThresholds;
pub use protocol_scan::Thresholds as ProtocolScanThresholds;
pub use sketch::Sketch;
pub use spoofed_source::Thresholds as SpoofedSourceThresholds;
pub use time::Time;
pub use tiny_fragments::Thresholds as TinyFragmentsThresholds;
pub use unexpected_tunnel::Thresholds as UnexpectedTunnelThresholds;
