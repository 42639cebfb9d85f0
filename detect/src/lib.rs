//! The detectors: observations and time in, anomalies out. No I/O, no clock, no async.
#![deny(missing_docs)]

mod ack_flood;
mod allowance;
mod anomaly;
mod baselines;
mod beacon;
mod bytes_in;
mod bytes_out;
mod case;
mod declared;
mod detector;
mod detectors;
mod dns;
mod hash;
mod icmp_flood;
mod icmp_tunnel;
mod ip_sweep;
mod kinds;
mod limits;
mod messages;
mod mode;
mod new_peer;
mod observation;
mod odd_flags;
mod packets;
mod peers;
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
mod syn_flood;
mod tally;
mod time;
mod tiny_fragments;
mod udp_flood;
mod unexpected_tunnel;
mod volume;
mod window;

pub use ack_flood::Thresholds as AckFloodThresholds;
pub use anomaly::{
    Anomaly, AnomalyId, Coverage, Criterion, PortCounts, PortSets, Role, Severity, State, Target,
};
pub use baselines::{Baseline, Cell, DamagedBaseline, Series};
pub use beacon::Thresholds as BeaconThresholds;
pub use bytes_in::Thresholds as BytesInThresholds;
pub use bytes_out::Thresholds as BytesOutThresholds;
pub use declared::Declared;
pub use detector::{Budget, Words};
pub use detectors::{DETECTORS, Detectors, Outcomes, Settings, UnknownDetector, about, words};
pub use dns::{
    dga::Thresholds as DgaThresholds, dns_enumeration::Thresholds as DnsEnumerationThresholds,
    dns_tunnel::Thresholds as DnsTunnelThresholds,
    malformed_dns::Thresholds as MalformedDnsThresholds,
    zone_transfer::Thresholds as ZoneTransferThresholds,
};
pub use icmp_flood::Thresholds as IcmpFloodThresholds;
pub use icmp_tunnel::Thresholds as IcmpTunnelThresholds;
pub use ip_sweep::Thresholds as IpSweepThresholds;
pub use kinds::{Class, Count, Flow, Measure, ParseFailure, Technique, Transport, VolumeClass};
pub use limits::{Limit, LimitError, Quantity, Thresholds};
pub use mode::{Mode, Setting, UnknownMode};
pub use new_peer::Thresholds as NewPeerThresholds;
pub use observation::{Contact, Hosts, Observation, Outcome, Sample, SampleKind, Subject, Volume};
pub use odd_flags::Thresholds as OddFlagsThresholds;
pub use port_scan::Thresholds as PortScanThresholds;
pub use port_scan_target::Thresholds as PortScanTargetThresholds;
pub use port_set::PortSet;
pub use protocol_mismatch::Thresholds as ProtocolMismatchThresholds;
pub use protocol_scan::Thresholds as ProtocolScanThresholds;
pub use sketch::Sketch;
pub use spoofed_source::Thresholds as SpoofedSourceThresholds;
pub use syn_flood::Thresholds as SynFloodThresholds;
pub use time::Time;
pub use tiny_fragments::Thresholds as TinyFragmentsThresholds;
pub use udp_flood::Thresholds as UdpFloodThresholds;
pub use unexpected_tunnel::Thresholds as UnexpectedTunnelThresholds;
