//! Thresholds that can be listed, set by name, and are refused when they are out of range.

use std::{fmt, time::Duration};

/// The value of a threshold.
#[derive(Clone, Copy, Debug, Eq, PartialEq, PartialOrd)]
pub enum Quantity {
    /// A number of things.
    Count(u64),
    /// A length of time.
    Duration(Duration),
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Duration(duration) => write!(f, "{duration:?}"),
        }
    }
}

/// What a threshold is, may be, and is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limit {
    /// Its name within its detector.
    pub key: &'static str,
    /// What it is unless somebody sets it.
    pub default: Quantity,
    /// The least it may be.
    pub least: Quantity,
    /// The most it may be.
    pub most: Quantity,
    /// What it bounds, in a few words.
    pub about: &'static str,
}

/// The thresholds of one detector.
pub trait Thresholds: Default {
    /// All there are.
    fn limits() -> Vec<Limit>;

    /// What each is set to, in the same order.
    fn values(&self) -> Vec<Quantity>;

    /// Sets the threshold of this name.
    ///
    /// # Errors
    /// When there is none of this name, or the value is of another kind or out of range.
    fn set(&mut self, key: &str, value: Quantity) -> Result<(), LimitError>;
}

/// A threshold that cannot be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum LimitError {
    /// No threshold has this name.
    #[error("there is no such key; there are {}", .keys.join(", "))]
    Unknown {
        /// Those there are.
        keys: Vec<&'static str>,
    },
    /// It is too little or too much.
    #[error("it takes {least} to {most}")]
    OutOfRange {
        /// The least it may be.
        least: Quantity,
        /// The most it may be.
        most: Quantity,
    },
}

/// What the fields of thresholds are made of.
pub(crate) trait Field: Copy {
    /// As a quantity.
    fn quantity(self) -> Quantity;
    /// None when the quantity is of another kind.
    fn of(quantity: Quantity) -> Option<Self>;
}

impl Field for u32 {
    fn quantity(self) -> Quantity {
        Quantity::Count(self.into())
    }

    fn of(quantity: Quantity) -> Option<Self> {
        match quantity {
            Quantity::Count(count) => count.try_into().ok(),
            Quantity::Duration(_) => None,
        }
    }
}

impl Field for u64 {
    fn quantity(self) -> Quantity {
        Quantity::Count(self)
    }

    fn of(quantity: Quantity) -> Option<Self> {
        match quantity {
            Quantity::Count(count) => Some(count),
            Quantity::Duration(_) => None,
        }
    }
}

impl Field for Duration {
    fn quantity(self) -> Quantity {
        Quantity::Duration(self)
    }

    fn of(quantity: Quantity) -> Option<Self> {
        match quantity {
            Quantity::Duration(duration) => Some(duration),
            Quantity::Count(_) => None,
        }
    }
}

/// Ports there are, and with them the largest count of ports a threshold can be compared with.
pub(crate) const PORTS: u32 = 65_536;
/// A second.
pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// A minute.
pub(crate) const MINUTE: Duration = Duration::from_secs(60);
/// An hour.
pub(crate) const HOUR: Duration = Duration::from_secs(60 * 60);
/// A day, more than any detector remembers of single packets.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Declares thresholds: each field with its type, default, range, and a few words for a table.
macro_rules! thresholds {
    (
        $(#[$meta:meta])*
        $name:ident {
            $(
                $(#[$doc:meta])*
                $field:ident: $kind:ty = $default:expr, $least:expr => $most:expr, $about:literal;
            )+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Eq, PartialEq)]
        pub struct $name { $($(#[$doc])* pub $field: $kind,)+ }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $crate::limits::Thresholds for $name {
            fn limits() -> Vec<$crate::limits::Limit> {
                use $crate::limits::Field as _;
                vec![$($crate::limits::Limit {
                    key: stringify!($field),
                    default: <$kind>::quantity($default),
                    least: <$kind>::quantity($least),
                    most: <$kind>::quantity($most),
                    about: $about,
                },)+]
            }

            fn values(&self) -> Vec<$crate::limits::Quantity> {
                use $crate::limits::Field as _;
                vec![$(<$kind>::quantity(self.$field),)+]
            }

            fn set(
                &mut self,
                key: &str,
                value: $crate::limits::Quantity,
            ) -> Result<(), $crate::limits::LimitError> {
                use $crate::limits::Field as _;
                match key {
                    $(stringify!($field) => {
                        let (least, most): ($kind, $kind) = ($least, $most);
                        match <$kind>::of(value) {
                            Some(value) if (least..=most).contains(&value) => {
                                self.$field = value;
                                Ok(())
                            }
                            _ => Err($crate::limits::LimitError::OutOfRange {
                                least: least.quantity(),
                                most: most.quantity(),
                            }),
                        }
                    })+
                    _ => Err($crate::limits::LimitError::Unknown {
                        keys: vec![$(stringify!($field)),+],
                    }),
                }
            }
        }
    };
}

pub(crate) use thresholds;

#[cfg(test)]
mod tests {
    #![allow(unreachable_pub, reason = "the macro is for what others see")]

    use super::*;

    thresholds! {
        /// Of a test.
        Of {
            /// A count.
            ports: u32 = 3, 1 => PORTS, "ports";
            /// A time.
            quiet: Duration = MINUTE, SECOND => DAY, "time";
        }
    }

    #[test]
    fn each_threshold_has_a_name_and_a_range() {
        let mut it = Of::default();
        let seconds = |seconds| Quantity::Duration(Duration::from_secs(seconds));
        for (key, value, refused) in [
            ("ports", Quantity::Count(1), None),
            ("ports", Quantity::Count(65_536), None),
            ("quiet", seconds(1), None),
            ("ports", Quantity::Count(0), Some("it takes 1 to 65536")),
            (
                "ports",
                Quantity::Count(65_537),
                Some("it takes 1 to 65536"),
            ),
            (
                "ports",
                Quantity::Count(1 << 40),
                Some("it takes 1 to 65536"),
            ),
            ("ports", seconds(5), Some("it takes 1 to 65536")),
            ("quiet", seconds(0), Some("it takes 1s to 86400s")),
            ("quiet", seconds(86_401), Some("it takes 1s to 86400s")),
            ("quiet", Quantity::Count(5), Some("it takes 1s to 86400s")),
            (
                "port",
                Quantity::Count(5),
                Some("there is no such key; there are ports, quiet"),
            ),
        ] {
            let said = it.set(key, value).err().map(|error| error.to_string());
            assert_eq!(said.as_deref(), refused, "{key} = {value}");
        }
        assert_eq!((it.ports, it.quiet), (65_536, SECOND));
        assert_eq!(it.values(), [Quantity::Count(65_536), seconds(1)]);
        let defaults: Vec<_> = Of::limits().iter().map(|it| it.default).collect();
        assert_eq!(defaults, [Quantity::Count(3), seconds(60)]);
    }
}
