//! One value, where it came from, and what it may be.

use std::{fmt, net::SocketAddr, path::PathBuf, str::FromStr, time::Duration};

use super::{error::ConfigError, origin::Origin};
use crate::{datapath::Pin, deliver::Place};

/// The text of a value with its key.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) key: String,
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Setting {
    /// The error that this value is not what its key takes.
    pub(super) fn refuse(&self, reason: impl fmt::Display) -> ConfigError {
        ConfigError::Value {
            key: self.key.clone(),
            value: self.text.clone(),
            origin: self.origin.clone(),
            reason: reason.to_string(),
        }
    }

    pub(super) fn parse<T: FromStr<Err: fmt::Display>>(&self) -> Result<T, ConfigError> {
        self.text.parse().map_err(|error| self.refuse(error))
    }

    pub(super) fn number(&self, least: u32, most: u32) -> Result<u32, ConfigError> {
        match self.text.parse() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(self.refuse(format_args!(
                "it takes a whole number from {least} to {most}"
            ))),
        }
    }

    pub(super) fn duration(
        &self,
        least: Duration,
        most: Duration,
    ) -> Result<Duration, ConfigError> {
        match humantime::parse_duration(&self.text) {
            Ok(duration) if (least..=most).contains(&duration) => Ok(duration),
            _ => Err(self.refuse(format_args!(
                "it takes a duration with its unit, from {} to {}",
                humantime::format_duration(least),
                humantime::format_duration(most)
            ))),
        }
    }

    /// None when it is off.
    pub(super) fn unless_off(
        &self,
        least: Duration,
        most: Duration,
    ) -> Result<Option<Duration>, ConfigError> {
        if self.text == "off" {
            return Ok(None);
        }
        self.duration(least, most).map(Some)
    }

    /// Only what somebody asked for must be possible.
    pub(super) fn pin(&self) -> Pin {
        match (self.text.as_str(), &self.origin) {
            ("none", _) => Pin::Nowhere,
            (directory, Origin::Default) => Pin::IfPossible(directory.into()),
            (directory, _) => Pin::At(directory.into()),
        }
    }

    /// Only what somebody asked for must be possible.
    pub(super) fn spool(&self) -> Place {
        match (self.text.as_str(), &self.origin) {
            ("none", _) => Place::Nowhere,
            (directory, Origin::Default) => Place::IfPossible(directory.into()),
            (directory, _) => Place::At(directory.into()),
        }
    }

    /// A number of bytes, or of the larger units that Kubernetes and people write.
    pub(super) fn bytes(&self, least: u64) -> Result<u64, ConfigError> {
        let digits = self.text.trim_end_matches(|c: char| !c.is_ascii_digit());
        let unit = match &self.text[digits.len()..] {
            "" | "B" => Some(1),
            "Ki" | "KiB" => Some(1 << 10),
            "Mi" | "MiB" => Some(1 << 20),
            "Gi" | "GiB" => Some(1 << 30),
            _ => None,
        };
        let number = digits.parse::<u64>().ok();
        let bytes = number.zip(unit).and_then(|(a, b)| a.checked_mul(b));
        bytes.filter(|bytes| *bytes >= least).ok_or_else(|| {
            let least = least >> 20;
            self.refuse(format_args!(
                "it takes a number of bytes, from {least}MiB on, such as 64MiB or 1GiB"
            ))
        })
    }

    /// The position of the text among `choices`.
    pub(super) fn choice<T: Copy>(&self, choices: &[(&str, T)]) -> Result<T, ConfigError> {
        let chosen = choices.iter().find(|(name, _)| *name == self.text);
        chosen.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            self.refuse(format_args!("it takes one of {}", names.join(", ")))
        })
    }

    pub(super) fn address(&self) -> Result<SocketAddr, ConfigError> {
        self.text.parse().map_err(|_| {
            self.refuse("it takes an IP address with a port, such as 127.0.0.1:7403 or [::1]:7403")
        })
    }

    pub(super) fn path(&self) -> Result<PathBuf, ConfigError> {
        if self.text.is_empty() {
            return Err(self.refuse("it takes the path of a file"));
        }
        Ok(PathBuf::from(&self.text))
    }

    /// A name as Kubernetes gives it to a node (RFC 1123), upper case allowed.
    pub(super) fn name(&self) -> Result<String, ConfigError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        if (1..=253).contains(&self.text.len()) && self.text.chars().all(plain) {
            return Ok(self.text.clone());
        }
        Err(self.refuse("it takes 1 to 253 letters, digits, dashes, dots and underscores"))
    }
}
