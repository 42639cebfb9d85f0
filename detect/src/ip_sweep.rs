//! Finds pods that try the same on many hosts, by the hosts that fail.
//!
//! It judges probes over every transport, each service (a port, ICMP requests, address resolution) by
//! itself, by these rules:
//!
//! - **Failed hosts**: distinct hosts on which a service failed, within a minute and within an hour.
//! - **Unanswered hosts**: distinct hosts that fail or have not answered yet, though hosts of a cluster
//!   would have by now. It finds a fast sweep before its probes are called silent.
//! - **Failed pairs** of host and port, over several hosts: a scan of a block.
//!
//! A service fails on a host as [`crate::port_scan`] says. What has answered within a day never counts.
//!
//! # Chance
//! Many hosts of a long list fail by chance, as when a tenth of what a monitoring pod scrapes is gone. So
//! failures must also outweigh answers, by a sequential test: the threshold random walk of Jung, Paxson,
//! Berger and Balakrishnan, "Fast portscan detection using sequential hypothesis testing" (2004). Under the
//! paper's assumptions, that a benign pod's first contact with a host succeeds with probability 0.8 and a
//! scanner's with 0.2, a host that fails multiplies the odds by four and one that answers divides them by
//! four. For 99 % of scans found and one false alarm in 100,000 pods the odds must reach 99,000: failed
//! hosts must outnumber those that answered by 9.
//!
//! # Life of an anomaly
//! A pod has one open anomaly at most. It is updated when its pairs of host and service reach another power
//! of ten, or it becomes worse. It closes after the quiet without a failure, also of what failed before:
//! who retries for ever has one anomaly for ever.
//!
//! Sweeps over UDP are `Low` when the hosts refuse, for a list of dead collectors of traces looks the same,
//! and else `Info`. Others are `Medium`, and `High` from 100 pairs on.

mod group;
mod pod;
mod thresholds;

pub(crate) use self::pod::Pod;
pub use self::thresholds::Thresholds;
