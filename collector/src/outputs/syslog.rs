//! Syslog: RFC 5424 over UDP (RFC 5426), TCP with octets counted (RFC 6587), TLS (RFC 5425) or a Unix socket.

mod carrier;
mod line;

use std::path::PathBuf;

use serde::Deserialize;

use self::{
    carrier::{Carrier, To},
    line::Facility,
};
use super::{
    entry,
    http::{Authority, tls},
    reader::Reader,
    refusal::{Reason, Refusal, Sent},
};
use crate::{forms::Form, store::Entry};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// As in `tls://host:6514`.
    to: String,
    /// CEF by default.
    form: Option<Form>,
    #[serde(default)]
    facility: Facility,
    ca_file: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Syslog {
    carrier: Carrier,
    form: Form,
    facility: Facility,
}

impl Syslog {
    pub(super) fn new(settings: Settings, reader: &mut Reader<'_>) -> Result<Self, String> {
        let to = To::read(&settings.to)?;
        let authority = Authority {
            ca_file: settings.ca_file,
        };
        let tls = tls(&authority, to.is_tls(), reader)?;
        Ok(Self {
            carrier: Carrier::new(to, tls),
            form: settings.form.unwrap_or(Form::Cef),
            facility: settings.facility,
        })
    }

    pub(super) async fn send(&self, entries: &[&Entry]) -> Sent {
        let mut lines = Vec::with_capacity(entries.len());
        for entry in entries {
            let text = entry::text(self.form, entry);
            let text = text.map_err(|why| Refusal::never(Reason::Form, why))?;
            lines.push(line::write(self.facility, entry, &text));
        }
        self.carrier.send(&lines).await.map(|()| 0)
    }
}
