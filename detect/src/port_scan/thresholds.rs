//! What may pass before it is called a port scan.

use std::time::Duration;

use super::window::PerHorizon;

/// Thresholds of [`PortScan`](super::PortScan); a count that reaches one opens an anomaly.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Thresholds {
    /// Distinct ports of one destination that refused or stayed silent within a minute.
    pub failed_ports_per_minute: u32,
    /// The same within an hour.
    pub failed_ports_per_hour: u32,
    /// Distinct destination ports of the pod within a minute, whatever came of them.
    pub ports_per_minute: u32,
    /// The same within an hour.
    pub ports_per_hour: u32,
    /// A probe that got neither an answer nor a refusal for this long has failed.
    pub silence: Duration,
    /// An anomaly with nothing new for this long is closed.
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
