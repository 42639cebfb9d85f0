//! Where each value comes from, and what it becomes.

use clap::{ArgMatches, parser::ValueSource};

use super::{
    error::ConfigError,
    file::{File, Value},
    origin::Origin,
    setting::Setting,
};
use crate::interfaces::Selection;

pub(super) struct Sources<'a> {
    pub(super) matches: &'a ArgMatches,
    pub(super) file: File,
}

impl Sources<'_> {
    pub(super) fn node(&self) -> Result<String, ConfigError> {
        if let Some(setting) = self.one("node", &self.file.node) {
            return setting.name();
        }
        let host = rustix::system::uname();
        match host.nodename().to_string_lossy().trim() {
            "" | "(none)" => Err(ConfigError::Node),
            host => Ok(host.into()),
        }
    }

    pub(super) fn interfaces(&self) -> Result<Selection, ConfigError> {
        let globs = self.several("interfaces", &self.file.interfaces);
        let uplinks = self.given("uplinks", &self.file.uplinks).parse()?;
        let selection = Selection::by_name(globs.iter().map(|glob| glob.text.as_str()));
        let selection = selection.map_err(|error| {
            let pattern = error.glob().unwrap_or_default();
            let glob = globs.iter().find(|glob| glob.text == pattern);
            let glob = glob.cloned().unwrap_or_else(|| Setting {
                key: "interfaces".into(),
                text: pattern.into(),
                origin: Origin::Default,
            });
            let kind = error.kind();
            glob.refuse(format_args!(
                "it takes a pattern such as cali* or veth????: {kind}"
            ))
        })?;
        Ok(selection.with(uplinks))
    }

    /// The value of a key, unless it is nobody's.
    pub(super) fn one(&self, key: &'static str, file: &Option<Value>) -> Option<Setting> {
        let file = file.as_ref().map(std::slice::from_ref);
        self.settings(key, file).pop()
    }

    /// The value of a key that has a default.
    pub(super) fn given(&self, key: &'static str, file: &Option<Value>) -> Setting {
        self.one(key, file).unwrap_or_else(|| Setting {
            key: key.into(),
            text: String::new(),
            origin: Origin::Default,
        })
    }

    pub(super) fn several(&self, key: &'static str, file: &Option<Vec<Value>>) -> Vec<Setting> {
        self.settings(key, file.as_deref())
    }

    fn settings(&self, key: &'static str, file: Option<&[Value]>) -> Vec<Setting> {
        let origin = match (self.matches.value_source(key), file) {
            (Some(ValueSource::CommandLine), _) => Origin::Flag(key),
            (Some(ValueSource::EnvVariable), _) => Origin::Environment(key),
            (_, Some(values)) => {
                return values
                    .iter()
                    .map(|value| self.in_file(key, value))
                    .collect();
            }
            _ => Origin::Default,
        };
        let texts = self.matches.get_many::<String>(key).unwrap_or_default();
        texts
            .map(|text| Setting {
                key: key.into(),
                text: text.clone(),
                origin: origin.clone(),
            })
            .collect()
    }

    pub(super) fn in_file(&self, key: &str, value: &Value) -> Setting {
        Setting {
            key: key.into(),
            text: value.value.clone(),
            origin: Origin::File {
                path: self.file.path.clone(),
                line: value.referenced.line(),
            },
        }
    }
}
