//! What may pass before it is called a port scan.

use std::time::Duration;

use crate::{
    limits::{DAY, MINUTE, PORTS, SECOND, thresholds},
    window::PerHorizon,
};

thresholds! {
    /// Thresholds of the port scan detector; a count that reaches one opens an anomaly.
    ///
    /// Replayed over 493 labelled captures, failed ports alone open an anomaly in none of the 422 benign ones
    /// and in 21 of the 29 port scans over TCP; the plain counts alone find six.
    Thresholds {
        /// Distinct ports of one destination that refused or stayed silent within a minute; 10.
        ///
        /// A client knows the ports of its services, so it has little reason to fail on a second port
        /// of one host; a scanner knows none and fails on nearly all. Ten leaves room for a host whose
        /// services are all down.
        failed_ports_per_minute: u32 = 10, 1 => PORTS,
            "distinct ports of one destination that refused or stayed silent";
        /// The same within an hour; 12, so that a port every five minutes is a scan still, and nmap's
        /// `-T1`, a probe every 15 s, is found within 4 minutes.
        failed_ports_per_hour: u32 = 12, 1 => PORTS,
            "distinct ports of one destination that refused or stayed silent";
        /// Distinct destination ports of the pod over TCP below 32,768 within a minute, whatever came of
        /// them; 250. Those above are handed out at random, by FTP servers and others.
        ///
        /// For scans whose probes do not fail, as of a proxy that accepts every port. It cannot be low:
        /// an active FTP server connects to a new port for every file (150 within seconds in the
        /// captures, more than any other benign pod). It must be well below the 1,000 ports that nmap tries
        /// by default (<https://nmap.org/book/man-port-specification.html>); 250 is a quarter of them.
        ports_per_minute: u32 = 250, 1 => PORTS,
            "distinct TCP ports of the pod below 32768, whatever came of them";
        /// The same within an hour; 500, half of nmap's default.
        ///
        /// The port scan alert of Calico Enterprise drew the line at 500 ports in 15 minutes.
        ports_per_hour: u32 = 500, 1 => PORTS,
            "distinct TCP ports of the pod below 32768, whatever came of them";
        /// Distinct ports below 10,240 of one destination that the pod never tried before, within a minute,
        /// whatever came of them; 16.
        ///
        /// For scans of ports that are known to be open. A client uses a handful of services of a host, a
        /// monitoring pod a dozen, and random ports lie above.
        low_ports_per_minute: u32 = 16, 1 => PORTS,
            "distinct ports below 10240 of one destination that are new to the pod, whatever came of them";
        /// Distinct ports of one destination that the pod never tried before, probed within an hour with
        /// packets no operating system sends, whatever came of them; 8.
        ///
        /// A SYN without the options that every operating system sends, or with odd flags, is made by hand,
        /// as nmap, masscan, zmap and hping do. One or two ports may be a health check of that kind.
        crafted_ports_per_hour: u32 = 8, 1 => PORTS,
            "distinct ports of one destination that are new to the pod, probed with packets no operating \
             system sends";
        /// An anomaly with nothing new for this long is closed; 60 s.
        quiet: Duration = MINUTE, SECOND => DAY,
            "an anomaly with nothing new for so long is closed";
    }
}

impl Thresholds {
    pub(super) const fn failed_ports(&self) -> PerHorizon {
        [self.failed_ports_per_minute, self.failed_ports_per_hour]
    }

    pub(super) const fn ports(&self) -> PerHorizon {
        [self.ports_per_minute, self.ports_per_hour]
    }
}
