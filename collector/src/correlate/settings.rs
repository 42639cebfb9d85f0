//! When events of several pods are one thing.

use std::{ops::RangeInclusive, time::Duration};

use api::v1;
use detect::Mode;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);

/// What lies further apart is not correlated: so much of the log is read again at a start.
pub(super) const LONGEST: Duration = Duration::from_secs(60 * 60);

/// Sources of one target, or pods of one workload, that are remembered.
pub(super) const SOURCES: u32 = 256;

/// A setting that cannot be used.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum SettingError {
    /// No correlation has this name.
    #[error("there is no such correlation; there are {}", Settings::NAMES.join(", "))]
    Correlation,
    /// The correlation has no such key.
    #[error("there is no such key; there are {0}")]
    Key(String),
    /// The value is not one that its key takes.
    #[error("it takes {0}")]
    Value(String),
}

/// When events of several pods are one thing, for each correlation.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Settings {
    /// One target, scanned by several pods.
    pub distributed_scan: DistributedScan,
    /// One workload, several pods of which scan.
    pub workload_sweep: WorkloadSweep,
    /// One target, towards which many pods fail alike.
    pub dependency_down: DependencyDown,
}

/// Declares a correlation's settings: each field with its type, default and range.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $name:ident { $($(#[$doc:meta])* $field:ident: $kind:ty = $default:expr, $least:expr => $most:expr;)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $name {
            /// Whether it is looked for, and whether it is to alarm anybody.
            pub mode: Mode,
            $($(#[$doc])* pub $field: $kind,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { mode: Mode::On, $($field: $default,)+ }
            }
        }

        impl $name {
            fn set(&mut self, key: &str, text: &str) -> Result<(), SettingError> {
                match key {
                    "mode" => self.mode = text.parse().map_err(|_| {
                        SettingError::Value(Mode::ALL.map(Mode::name).join(", "))
                    })?,
                    $(stringify!($field) => self.$field = <$kind>::read(text, $least..=$most)?,)+
                    _ => return Err(SettingError::Key(["mode", $(stringify!($field)),+].join(", "))),
                }
                Ok(())
            }

            fn told(&self) -> (Mode, Vec<v1::Threshold>) {
                let usual = Self::default();
                let told = vec![$(v1::Threshold {
                    key: stringify!($field).into(),
                    value: self.$field.written(),
                    default: usual.$field.written(),
                    takes: <$kind>::takes($least..=$most),
                },)+];
                (self.mode, told)
            }
        }
    };
}

settings! {
    /// When several pods scan one target.
    DistributedScan {
        /// So many sources on several nodes; 3. Two may be a pair of replicas with one mistake.
        sources: u32 = 3, 2 => SOURCES;
        /// On so many nodes; 2.
        nodes: u32 = 2, 1 => SOURCES;
        /// So many sources, wherever they are; 5.
        sources_of_any_nodes: u32 = 5, 2 => SOURCES;
        /// Within this much time; 5 minutes. Who splits a scan lets its parts run side by side.
        window: Duration = 5 * MINUTE, SECOND => LONGEST;
        /// It is closed after so long without an event of it; 5 minutes.
        quiet: Duration = 5 * MINUTE, SECOND => LONGEST;
    }
}

settings! {
    /// When several pods of one workload scan.
    WorkloadSweep {
        /// So many pods; 3.
        pods: u32 = 3, 2 => SOURCES;
        /// On so many nodes; 2.
        nodes: u32 = 2, 1 => SOURCES;
        /// Within this much time; 10 minutes, in which a rollout of what was planted reaches its pods.
        window: Duration = 10 * MINUTE, SECOND => LONGEST;
        /// It is closed after so long without an event of it; 10 minutes.
        quiet: Duration = 10 * MINUTE, SECOND => LONGEST;
    }
}

settings! {
    /// When many pods fail towards one target alike.
    DependencyDown {
        /// So many pods; 10. Fewer may be hands of one intruder.
        pods: u32 = 10, 3 => SOURCES;
        /// Within this much time; 2 minutes. Clients of one target notice within their timeouts.
        window: Duration = 2 * MINUTE, SECOND => LONGEST;
        /// It is closed after so long without an event of it; 5 minutes, longer than the quiet of an IP sweep.
        quiet: Duration = 5 * MINUTE, SECOND => LONGEST;
    }
}

impl Settings {
    /// The correlations there are.
    pub const NAMES: [&str; 3] = [
        api::correlations::DISTRIBUTED_SCAN,
        api::correlations::WORKLOAD_SWEEP,
        api::correlations::DEPENDENCY_DOWN,
    ];

    /// Sets a key of a correlation.
    ///
    /// # Errors
    /// When there is none of this name, or the value is none it takes.
    pub fn set(&mut self, correlation: &str, key: &str, text: &str) -> Result<(), SettingError> {
        match correlation {
            api::correlations::DISTRIBUTED_SCAN => self.distributed_scan.set(key, text),
            api::correlations::WORKLOAD_SWEEP => self.workload_sweep.set(key, text),
            api::correlations::DEPENDENCY_DOWN => self.dependency_down.set(key, text),
            _ => Err(SettingError::Correlation),
        }
    }

    /// How a correlation is set, for people; nothing when there is none of this name.
    pub(crate) fn told(&self, correlation: &str) -> (Mode, Vec<v1::Threshold>) {
        match correlation {
            api::correlations::DISTRIBUTED_SCAN => self.distributed_scan.told(),
            api::correlations::WORKLOAD_SWEEP => self.workload_sweep.told(),
            api::correlations::DEPENDENCY_DOWN => self.dependency_down.told(),
            _ => (Mode::Off, Vec::new()),
        }
    }

    /// The longest window of all.
    pub(crate) fn longest_window(&self) -> Duration {
        self.distributed_scan
            .window
            .max(self.workload_sweep.window)
            .max(self.dependency_down.window)
    }
}

/// What a setting is made of.
trait Value: Sized {
    fn of(text: &str) -> Option<Self>;
    fn written(&self) -> String;
    /// What it takes, for people.
    fn takes(range: RangeInclusive<Self>) -> String;

    fn read(text: &str, range: RangeInclusive<Self>) -> Result<Self, SettingError>
    where
        Self: PartialOrd,
    {
        let value = Self::of(text).filter(|value| range.contains(value));
        value.ok_or_else(|| SettingError::Value(Self::takes(range)))
    }
}

impl Value for u32 {
    fn of(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn written(&self) -> String {
        self.to_string()
    }

    fn takes(range: RangeInclusive<Self>) -> String {
        let (least, most) = range.into_inner();
        format!("a whole number from {least} to {most}")
    }
}

impl Value for Duration {
    fn of(text: &str) -> Option<Self> {
        humantime::parse_duration(text).ok()
    }

    fn written(&self) -> String {
        humantime::format_duration(*self).to_string()
    }

    fn takes(range: RangeInclusive<Self>) -> String {
        let [least, most] = <[_; 2]>::from(range.into_inner()).map(humantime::format_duration);
        format!("a duration with its unit, from {least} to {most}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_set_within_their_ranges() {
        let mut settings = Settings::default();
        for (correlation, key, text, expected) in [
            ("distributed_scan", "sources", "256", ""),
            ("distributed_scan", "window", "1h", ""),
            ("dependency_down", "mode", "shadow", ""),
            (
                "distributed_scan",
                "sources",
                "257",
                "it takes a whole number from 2 to 256",
            ),
            (
                "distributed_scan",
                "sources",
                "1",
                "it takes a whole number from 2 to 256",
            ),
            (
                "distributed_scan",
                "sources",
                "many",
                "it takes a whole number from 2 to 256",
            ),
            (
                "workload_sweep",
                "window",
                "61m",
                "it takes a duration with its unit, from 1s to 1h",
            ),
            (
                "workload_sweep",
                "quiet",
                "5",
                "it takes a duration with its unit, from 1s to 1h",
            ),
            (
                "dependency_down",
                "mode",
                "loud",
                "it takes on, shadow, off",
            ),
            (
                "dependency_down",
                "nodes",
                "2",
                "there is no such key; there are mode, pods, window, quiet",
            ),
            (
                "decoy",
                "mode",
                "on",
                "there is no such correlation; there are distributed_scan, workload_sweep, dependency_down",
            ),
        ] {
            let error = settings.set(correlation, key, text).err();
            let error = error.map(|it| it.to_string()).unwrap_or_default();
            assert_eq!(error, expected, "{correlation}.{key} = {text}");
        }
        assert_eq!(settings.distributed_scan.sources, 256);
        assert_eq!(settings.longest_window(), LONGEST);
        assert_eq!(settings.dependency_down.mode, Mode::Shadow);
    }
}
