//! How the detectors are set, for all pods and for some, which only the file says.

use std::{collections::BTreeMap, net::IpAddr, sync::Arc};

use detect::{DETECTORS, Outcomes, Settings, Thresholds as _};
use ipnet::IpNet;

use super::{
    error::ConfigError,
    file::{Detectors, ExceptionEntry, Value},
    sources::Sources,
};
use crate::policy::{Exception, Policy, Scope, Selector};

impl Sources<'_> {
    pub(super) fn policy(&self) -> Result<Policy, ConfigError> {
        let mut settings = Settings::default();
        if let Some(value) = &self.file.silence {
            let limit = &Outcomes::limits()[0];
            let setting = self.in_file("silence", value);
            let silence = setting.quantity(limit)?;
            let set = settings.outcomes.set(limit.key, silence);
            set.map_err(|error| setting.refuse(error))?;
        }
        self.set(&mut settings, "detectors", &self.file.detectors)?;
        let exceptions = self.file.exceptions.iter().enumerate();
        Ok(Policy {
            containment: self.containment()?,
            scopes: self.scopes(&settings)?,
            settings: Arc::new(settings),
            exceptions: exceptions
                .map(|(index, entry)| self.exception(index, entry))
                .collect::<Result<_, _>>()?,
        })
    }

    fn containment(&self) -> Result<api::containment::Settings, ConfigError> {
        let mut settings = api::containment::Settings::default();
        for (key, value) in &self.file.containment {
            let setting = self.in_file(&format!("containment.{key}"), value);
            match &key[..] {
                "mode" => settings.mode = setting.parse()?,
                "lease" => {
                    let text = humantime::parse_duration(&setting.text);
                    settings.lease = text.map_err(|error| setting.refuse(error))?;
                }
                "max_share_percent" => settings.max_share_percent = setting.number(1, 100)?,
                "max_per_namespace" => settings.max_per_namespace = setting.number(1, 1000)?,
                "max_per_minute" => settings.max_per_minute = setting.number(1, 1000)?,
                _ => return Err(setting.refuse("there is no such key")),
            }
        }
        settings
            .checked()
            .map_err(|error| self.refuse(format_args!("containment.{error}")))
    }

    fn scopes(&self, settings: &Settings) -> Result<Vec<Scope>, ConfigError> {
        let mut scopes: Vec<Scope> = Vec::new();
        for (index, entry) in self.file.scopes.iter().enumerate() {
            let selector = selector(&entry.namespaces, &entry.labels);
            let mut before = scopes.iter().enumerate();
            if let Some((other, scope)) = before.find(|(_, it)| it.selector.overlaps(&selector)) {
                return Err(self.refuse(format_args!(
                    "scopes[{index}] ({selector}) and scopes[{other}] ({}) may select the same pod; \
                     tell them apart by namespaces or by a label that both have",
                    scope.selector
                )));
            }
            let mut settings = settings.clone();
            let path = format!("scopes[{index}].detectors");
            self.set(&mut settings, &path, &entry.detectors)?;
            scopes.push(Scope {
                selector,
                settings: Arc::new(settings),
            });
        }
        Ok(scopes)
    }

    fn set(
        &self,
        settings: &mut Settings,
        path: &str,
        detectors: &Detectors,
    ) -> Result<(), ConfigError> {
        for (detector, keys) in detectors {
            let limits = Settings::limits(detector)
                .map_err(|error| self.refuse(format_args!("{path}.{detector}: {error}")))?;
            for (key, value) in keys {
                let setting = self.in_file(&format!("{path}.{detector}.{key}"), value);
                if key == "mode" {
                    let mode = settings.mode(detector);
                    *mode.map_err(|error| setting.refuse(error))? = setting.parse()?;
                    continue;
                }
                let Some(limit) = limits.iter().find(|limit| limit.key == key) else {
                    let keys: Vec<_> = limits.iter().map(|limit| limit.key).collect();
                    return Err(setting.refuse(format_args!(
                        "there is no such key; there are mode, {}",
                        keys.join(", ")
                    )));
                };
                let quantity = setting.quantity(limit)?;
                let set = settings.set(detector, key, quantity);
                set.map_err(|error| setting.refuse(error))?;
            }
        }
        Ok(())
    }

    fn exception(&self, index: usize, entry: &ExceptionEntry) -> Result<Exception, ConfigError> {
        let path = |key: &str| format!("exceptions[{index}].{key}");
        let detector = |value: &Value| {
            let setting = self.in_file(&path("detectors"), value);
            if DETECTORS.contains(&setting.text.as_str()) {
                return Ok(setting.text);
            }
            Err(setting.refuse(format_args!(
                "there is no such detector; there are {}",
                DETECTORS.join(", ")
            )))
        };
        let until = entry.until.as_ref().map(|value| {
            let setting = self.in_file(&path("until"), value);
            humantime::parse_rfc3339(&setting.text)
                .map_err(|_| setting.refuse("it takes a time such as 2027-01-31T12:00:00Z"))
        });
        let target = |value: &Value| {
            let setting = self.in_file(&path("targets"), value);
            let address = setting.text.parse::<IpAddr>().map(IpNet::from);
            let net = address.or_else(|_| setting.text.parse::<IpNet>());
            net.map_err(|_| {
                setting.refuse("it takes an IP address, or a network such as 10.0.0.0/8")
            })
        };
        Ok(Exception {
            detectors: entry
                .detectors
                .iter()
                .map(detector)
                .collect::<Result<_, _>>()?,
            selector: selector(&entry.namespaces, &entry.labels),
            targets: entry.targets.iter().map(target).collect::<Result<_, _>>()?,
            until: until.transpose()?,
        })
    }

    fn refuse(&self, reason: impl std::fmt::Display) -> ConfigError {
        ConfigError::File {
            path: (&self.file.path).into(),
            reason: reason.to_string(),
        }
    }
}

fn selector(namespaces: &[String], labels: &BTreeMap<String, String>) -> Selector {
    Selector {
        namespaces: namespaces.to_vec(),
        labels: labels.clone(),
    }
}
