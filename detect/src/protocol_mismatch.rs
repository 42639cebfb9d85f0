//! Finds pods that speak another protocol than a well-known port is for.
//!
//! Looks at the first data of connections, each way: an SSH banner from port 443, HTTP to port 22, bytes that are
//! no TLS to port 443. Policies and firewalls go by ports, so who must get out uses one that is open, and
//! hides his own protocol behind it (T1571, T1095, T1572).
//!
//! One such connection is a curiosity: a wrong URL, or a probe of a load balancer. Several to one service
//! are a use of it. What is recognised weighs more than bytes that are no protocol known here, and those count only
//! where nobody has spoken the port's own protocol: samples of one service must agree. A pod that does the
//! same to several ports tries what is behind them, as exporters and scanners do, and stays a curiosity.
//!
//! Evaded by a port that is not in the table, by a tunnel within the port's protocol (SSH in TLS, HTTP CONNECT,
//! WebSocket), by TLS on ports where it is customary or with the name of a mesh, by a first segment of less than 16
//! bytes, by fewer connections than the threshold (one that lasts for days), by real TLS to the same service
//! beside unknown bytes, and by wrong protocols on several ports beside the one that matters.

mod pod;
mod ports;

use std::time::Duration;

pub(crate) use self::pod::Pod;
use crate::limits::{DAY, SECOND, thresholds};

thresholds! {
    /// Thresholds of the detector of wrong protocols.
    Thresholds {
        /// Connections to one port of one destination within an hour that speak a protocol it is not for; 5.
        ///
        /// Measured: a blackbox exporter asks each port three times for HTTP, whatever is there; no benign
        /// capture of 403 public ones has more than one connection with a protocol that is recognised
        /// and wrong, and each deviation in the lab has ten.
        connections_per_hour: u32 = 5, 1 => 256,
            "connections to one port with a protocol it is not for";
        /// The same, with bytes that are no known protocol or with TLS among them; 8.
        ///
        /// They are weaker evidence, for programs with protocols of their own use port 443 to get through
        /// firewalls: Telegram makes three such connections to each of its hosts within minutes. And meshes
        /// wrap connections to any port in TLS.
        weak_per_hour: u32 = 8, 1 => 256,
            "connections to one port, those counted that are weak evidence";
        /// Who speaks wrong protocols to so many ports within an hour tries what they are; 4.
        ///
        /// A tunnel needs one port that is open, and another for when it is not. The blackbox exporter asks ten.
        tried_ports: u32 = 4, 2 => 256,
            "with wrong protocols on so many ports the pod only tries what they are";
        /// An anomaly with nothing new for this long is closed; 1 h.
        ///
        /// As long as connections count: what is closed is not counted once more.
        quiet: Duration = Duration::from_secs(3600), SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}
