//! The forms in which other systems take an event or a gap: each is text, and a function of it alone.

mod attack;
mod cef;
mod cloud_events;
mod ecs;
mod falco;
mod json;
mod ocsf;
mod parts;
mod words;

use std::str::FromStr;

use api::v1::{Event, Gap};
use serde::{
    Deserialize,
    de::{IntoDeserializer as _, value},
};

/// How an event is written for whom it is sent to.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// As `picket events --output json` prints it.
    Json,
    /// A CloudEvent 1.0 in structured mode.
    CloudEvents,
    /// A Detection Finding of the Open Cybersecurity Schema Framework.
    Ocsf,
    /// An alert of the Elastic Common Schema.
    Ecs,
    /// As Falco writes its alerts.
    Falco,
    /// The Common Event Format, version 0.
    Cef,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Json,
        Self::CloudEvents,
        Self::Ocsf,
        Self::Ecs,
        Self::Falco,
        Self::Cef,
    ];

    /// What a server is told that it gets.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json | Self::Ocsf | Self::Ecs | Self::Falco => "application/json",
            Self::CloudEvents => "application/cloudevents+json; charset=utf-8",
            Self::Cef => "text/plain; charset=utf-8",
        }
    }

    /// One line, without its end.
    ///
    /// # Errors
    ///
    /// JSON cannot be written.
    pub fn event(self, event: &Event) -> serde_json::Result<String> {
        match self {
            Self::Json => json::event(event),
            Self::CloudEvents => cloud_events::event(event, &json::event(event)?),
            Self::Ocsf => ocsf::event(event),
            Self::Ecs => ecs::event(event),
            Self::Falco => Ok(falco::event(event)),
            Self::Cef => Ok(cef::event(event)),
        }
    }

    /// One line, without its end.
    ///
    /// # Errors
    ///
    /// JSON cannot be written.
    pub fn gap(self, gap: &Gap) -> serde_json::Result<String> {
        match self {
            Self::Json => json::gap(gap),
            Self::CloudEvents => cloud_events::gap(gap, &json::gap(gap)?),
            Self::Ocsf => ocsf::gap(gap),
            Self::Ecs => ecs::gap(gap),
            Self::Falco => Ok(falco::gap(gap)),
            Self::Cef => Ok(cef::gap(gap)),
        }
    }
}

impl FromStr for Form {
    type Err = value::Error;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::deserialize(name.into_deserializer())
    }
}
