//! What may pass before it is called a port scan.

use std::time::Duration;

use super::window::PerHorizon;

/// Thresholds of [`PortScan`](super::PortScan); a count that reaches one opens an anomaly.
///
/// Replayed over 493 labelled captures, the defaults open an anomaly in none of the 422 benign ones
/// and in 21 of the 29 port scans. The other eight scan by ACK, UDP or SCTP, through an FTP server,
/// across hosts, or a dozen ports or fewer of which less than ten fail. All 21 are found by failed
/// ports; the plain rules alone find six.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Thresholds {
    /// Distinct ports of one destination that refused or stayed silent within a minute; 10.
    ///
    /// A client knows the ports of its services, so it has little reason to fail on a second port
    /// of one host; a scanner knows none and fails on nearly all. Ten leaves room for a host whose
    /// services are all down.
    pub failed_ports_per_minute: u32,
    /// The same within an hour; 20, so that a port every three minutes is a scan still.
    pub failed_ports_per_hour: u32,
    /// Distinct destination ports of the pod within a minute, whatever came of them; 250.
    ///
    /// For scans whose probes do not fail, as of a proxy that accepts every port. It cannot be low:
    /// an active FTP server connects to a new port for every file (150 within seconds in the
    /// captures, more than any other benign pod). It must be well below the 1,000 ports that nmap tries
    /// by default (<https://nmap.org/book/man-port-specification.html>); 250 is a quarter of them.
    pub ports_per_minute: u32,
    /// The same within an hour; 500, half of nmap's default.
    ///
    /// The port scan alert of Calico Enterprise drew the line at 500 ports in 15 minutes.
    pub ports_per_hour: u32,
    /// A probe that got neither an answer nor a refusal for this long has failed; 2 s.
    ///
    /// Linux repeats a SYN after 1 s (RFC 6298, section 2.1), so two were lost or dropped by then.
    pub silence: Duration,
    /// An anomaly with nothing new for this long is closed; 60 s.
    pub quiet: Duration,
}

/// Ports there are, and with them the largest count a threshold can be compared with.
const PORTS: u32 = 65_536;

impl Default for Thresholds {
    fn default() -> Self {
        Self {
            failed_ports_per_minute: 10,
            failed_ports_per_hour: 20,
            ports_per_minute: 250,
            ports_per_hour: 500,
            silence: Duration::from_secs(2),
            quiet: Duration::from_secs(60),
        }
    }
}

impl Thresholds {
    /// Refuses thresholds that everything or nothing would cross.
    ///
    /// ```
    /// use detect::Thresholds;
    /// let thresholds = Thresholds { failed_ports_per_minute: 0, ..Thresholds::default() };
    /// assert_eq!(
    ///     thresholds.validate().unwrap_err().to_string(),
    ///     "port_scan.failed_ports_per_minute is 0: every pod would cross it; set it to 1 or more"
    /// );
    /// ```
    ///
    /// # Errors
    /// Names the first threshold that is out of range, its value and the range.
    pub fn validate(&self) -> Result<(), ThresholdsError> {
        for (name, value) in [
            ("failed_ports_per_minute", self.failed_ports_per_minute),
            ("failed_ports_per_hour", self.failed_ports_per_hour),
            ("ports_per_minute", self.ports_per_minute),
            ("ports_per_hour", self.ports_per_hour),
        ] {
            match value {
                0 => return Err(ThresholdsError::Zero { name }),
                1..=PORTS => {}
                _ => return Err(ThresholdsError::Unreachable { name, value }),
            }
        }
        for (name, value) in [("silence", self.silence), ("quiet", self.quiet)] {
            if value.is_zero() {
                return Err(ThresholdsError::NoTime { name });
            }
        }
        Ok(())
    }

    pub(super) const fn failed_ports(&self) -> PerHorizon {
        [self.failed_ports_per_minute, self.failed_ports_per_hour]
    }

    pub(super) const fn ports(&self) -> PerHorizon {
        [self.ports_per_minute, self.ports_per_hour]
    }
}

/// A threshold that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ThresholdsError {
    /// A count of zero.
    #[error("port_scan.{name} is 0: every pod would cross it; set it to 1 or more")]
    Zero {
        /// The field.
        name: &'static str,
    },
    /// A count beyond the number of ports.
    #[error(
        "port_scan.{name} is {value}: there are {PORTS} ports, so nothing would ever cross it; \
         set it to {PORTS} or less"
    )]
    Unreachable {
        /// The field.
        name: &'static str,
        /// Its value.
        value: u32,
    },
    /// A duration of zero.
    #[error("port_scan.{name} is 0s: nothing could happen within it; set it to more, such as 2s")]
    NoTime {
        /// The field.
        name: &'static str,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_threshold_has_a_range_and_the_error_names_both() {
        fn check(change: impl FnOnce(&mut Thresholds), expected: &str) {
            let mut thresholds = Thresholds::default();
            change(&mut thresholds);
            let said = thresholds
                .validate()
                .map_or_else(|error| error.to_string(), |()| String::new());
            assert!(
                said.starts_with(expected) && said.is_empty() == expected.is_empty(),
                "{said}"
            );
        }
        check(|_| {}, "");
        check(
            |t| t.failed_ports_per_minute = 0,
            "port_scan.failed_ports_per_minute is 0: ",
        );
        check(
            |t| t.failed_ports_per_hour = 0,
            "port_scan.failed_ports_per_hour is 0: ",
        );
        check(
            |t| t.ports_per_minute = 0,
            "port_scan.ports_per_minute is 0: ",
        );
        check(|t| t.ports_per_hour = 0, "port_scan.ports_per_hour is 0: ");
        check(|t| t.ports_per_hour = 1, "");
        check(|t| t.ports_per_hour = 65_536, "");
        check(
            |t| t.ports_per_hour = 65_537,
            "port_scan.ports_per_hour is 65537: ",
        );
        check(|t| t.silence = Duration::ZERO, "port_scan.silence is 0s: ");
        check(|t| t.quiet = Duration::ZERO, "port_scan.quiet is 0s: ");
    }
}
