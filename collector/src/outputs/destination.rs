//! Where an output goes: one of a closed set.

use super::{
    alertmanager::Alertmanager, file::File, otlp::Otlp, pace::Rate, reader::Reader, refusal::Sent,
    settings::Entry as Written, slack::Slack, syslog::Syslog, webhook::Webhook,
};
use crate::{anomalies::Anomalies, store::Entry};

/// One that was checked. It is lent to whoever serves the output, one at a time.
#[derive(Debug)]
pub(super) enum Destination {
    Alertmanager(Box<Alertmanager>),
    File(File),
    Otlp(Box<Otlp>),
    Slack(Box<Slack>),
    Syslog(Syslog),
    Webhook(Box<Webhook>),
}

impl Destination {
    /// The one that is written.
    pub(super) fn new(written: &mut Written, reader: &mut Reader<'_>) -> Result<Self, String> {
        let named = [
            written.alertmanager.is_some(),
            written.file.is_some(),
            written.otlp.is_some(),
            written.slack.is_some(),
            written.syslog.is_some(),
            written.webhook.is_some(),
        ];
        if named.into_iter().filter(|it| *it).count() != 1 {
            return Err("needs one of alertmanager, file, otlp, slack, syslog and webhook".into());
        }
        if let Some(settings) = written.alertmanager.take() {
            Alertmanager::new(settings, reader).map(|it| Self::Alertmanager(Box::new(it)))
        } else if let Some(settings) = written.file.take() {
            Ok(Self::File(File::new(settings)))
        } else if let Some(settings) = written.otlp.take() {
            Otlp::new(settings, reader).map(|it| Self::Otlp(Box::new(it)))
        } else if let Some(settings) = written.slack.take() {
            Slack::new(settings, reader).map(|it| Self::Slack(Box::new(it)))
        } else if let Some(settings) = written.syslog.take() {
            Syslog::new(settings, reader).map(Self::Syslog)
        } else if let Some(settings) = written.webhook.take() {
            Webhook::new(settings, reader).map(|it| Self::Webhook(Box::new(it)))
        } else {
            Err("has no destination".into())
        }
    }

    /// What is sent of events, when the configuration does not say.
    pub(super) const fn usual_rate(&self) -> Option<Rate> {
        match self {
            // <https://docs.slack.dev/apis/web-api/rate-limits>
            Self::Slack(_) => Some(Rate {
                per_second: 1.0,
                burst: Some(1),
            }),
            _ => None,
        }
    }

    /// How many are sent at once, at most.
    pub(super) const fn batch(&self) -> usize {
        match self {
            Self::Alertmanager(_) | Self::Slack(_) | Self::Webhook(_) => 1,
            Self::File(_) | Self::Otlp(_) | Self::Syslog(_) => 64,
        }
    }

    /// Whether this is sent at all.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        match self {
            Self::Alertmanager(_) => Alertmanager::takes(entry),
            Self::Webhook(webhook) => webhook.takes(entry),
            Self::File(_) | Self::Otlp(_) | Self::Slack(_) | Self::Syslog(_) => true,
        }
    }

    /// Sends all of it or, as far as one can know, nothing; never more than one batch.
    pub(super) async fn send(&mut self, entries: &[&Entry]) -> Sent {
        match self {
            Self::File(file) => file.send(entries).await,
            Self::Otlp(otlp) => otlp.send(entries).await,
            Self::Syslog(syslog) => syslog.send(entries).await,
            Self::Alertmanager(_) | Self::Slack(_) | Self::Webhook(_) => {
                let mut refused = 0;
                for entry in entries {
                    refused += match self {
                        Self::Alertmanager(it) => it.send(entry).await?,
                        Self::Slack(it) => it.send(entry).await?,
                        Self::Webhook(it) => it.send(entry).await?,
                        Self::File(_) | Self::Otlp(_) | Self::Syslog(_) => 0,
                    };
                }
                Ok(refused)
            }
        }
    }

    /// Waits until something has to be said again though nothing is new, and who is asked for it.
    pub(super) async fn stale(&mut self) {
        match self {
            Self::Alertmanager(alertmanager) => alertmanager.stale().await,
            _ => std::future::pending().await,
        }
    }

    /// Says it again.
    pub(super) async fn repeat(
        &mut self,
        anomalies: &Anomalies,
        passes: impl Fn(&Entry) -> bool,
    ) -> Sent {
        match self {
            Self::Alertmanager(alertmanager) => alertmanager.repeat(anomalies, passes).await,
            _ => Ok(0),
        }
    }
}
