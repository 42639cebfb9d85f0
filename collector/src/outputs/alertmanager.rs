//! Alertmanager, by version 2 of its API: an alert for each anomaly, which is said again while it is open.
//!
//! <https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml>

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, SystemTime},
};

use api::{filter, names, times, v1};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::{Deserialize, Serialize};
use tokio::time::{Interval, MissedTickBehavior, interval};

use super::{
    clock,
    duration::duration,
    http::{Authority, Headers, Http, Version},
    reader::Reader,
    refusal::{Reason, Refusal, Sent},
};
use crate::{anomalies::Anomalies, store::Entry};

const RESEND: Duration = Duration::from_secs(60);

/// An alert ends by itself when it was not said again so many times, as with Prometheus.
const MISSED: u32 = 4;

/// Alerts of one request.
const PAGE: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    /// On each alert, for routing.
    #[serde(default)]
    labels: BTreeMap<String, String>,
    /// `{detector}` stands for the detector's name.
    runbook: Option<String>,
    /// Where the page is served.
    page: Option<String>,
    #[serde(default, deserialize_with = "duration")]
    resend: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Alertmanager {
    http: Http,
    writer: Writer,
    resend: Resend,
}

/// When open alerts are said again. An interval needs a runtime, so it begins when it is first asked.
#[derive(Debug)]
struct Resend {
    every: Duration,
    running: Option<Interval>,
}

/// Writes alerts.
#[derive(Debug)]
struct Writer {
    labels: BTreeMap<String, String>,
    runbook: Option<String>,
    page: Option<String>,
    lasts: Duration,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Alert {
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<&'static str, String>,
    starts_at: Option<String>,
    ends_at: Option<String>,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator: Option<String>,
}

impl Alertmanager {
    pub(super) fn new(settings: Settings, reader: &mut Reader<'_>) -> Result<Self, String> {
        let url = format!("{}/api/v2/alerts", settings.url.trim_end_matches('/'));
        let headers = Headers {
            headers: settings.headers,
            token_file: settings.token_file,
        };
        let authority = Authority {
            ca_file: settings.ca_file,
        };
        let every = settings.resend.unwrap_or(RESEND);
        if every < Duration::from_secs(1) {
            return Err("resend is too short: write 1s or more".into());
        }
        for name in settings.labels.keys() {
            let first = name.starts_with(|it: char| it.is_ascii_alphabetic() || it == '_');
            if !first
                || !name
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'_')
            {
                return Err(format!(
                    "`{name}` is no name of a label: write letters, digits and underscores"
                ));
            }
        }
        Ok(Self {
            http: Http::new(&url, &headers, &authority, Version::One, reader)?,
            writer: Writer {
                labels: settings.labels,
                runbook: settings.runbook,
                page: settings.page,
                lasts: every * MISSED,
            },
            resend: Resend {
                every,
                running: None,
            },
        })
    }

    /// Alerts are of anomalies alone: not of gaps, nor of what people do about them.
    pub(super) fn takes(entry: &Entry) -> bool {
        match entry {
            Entry::Event(event) => event.action.is_none() && event.triage.is_none(),
            Entry::Gap(_) => false,
        }
    }

    pub(super) async fn send(&self, entry: &Entry) -> Sent {
        let Entry::Event(event) = entry else {
            return Ok(0);
        };
        self.post(&[self.writer.alert(event, clock::now())]).await
    }

    pub(super) async fn stale(&mut self) {
        let every = self.resend.every;
        let running = self.resend.running.get_or_insert_with(|| {
            let mut interval = interval(every);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        });
        running.tick().await;
    }

    /// Says all that are open again.
    pub(super) async fn repeat(
        &self,
        anomalies: &Anomalies,
        passes: impl Fn(&Entry) -> bool,
    ) -> Sent {
        for page in anomalies.open().chunks(PAGE) {
            let events = anomalies.events(page.to_vec()).await;
            let events = events.map_err(|error| Refusal::later(error.message()))?;
            let entries = events.into_iter().map(|it| Entry::Event(Box::new(it)));
            let now = clock::now();
            let alerts: Vec<_> = entries
                .filter(|it| Self::takes(it) && passes(it))
                .filter_map(Entry::event)
                .map(|it| self.writer.alert(&it, now))
                .collect();
            if !alerts.is_empty() {
                self.post(&alerts).await?;
            }
        }
        Ok(0)
    }

    async fn post(&self, alerts: &[Alert]) -> Sent {
        let body = serde_json::to_string(alerts);
        let body = body.map_err(|error| Refusal::never(Reason::Form, error.to_string()))?;
        let json = HeaderValue::from_static("application/json");
        self.http.post(body, [(CONTENT_TYPE, json)]).await
    }
}

impl Writer {
    /// The labels of an anomaly never change but for its severity, which people route by: when that rises there is a
    /// new alert, and the one before ends by itself.
    fn alert(&self, event: &v1::Event, now: SystemTime) -> Alert {
        let mut labels = self.labels.clone();
        let subject = filter::subject(event);
        let node = event.id.as_ref().map_or("", |id| &id.node);
        let named = |name: fn(&v1::Endpoint) -> &String| subject.map_or("", |it| name(it));
        for (name, value) in [
            ("alertname", camel(&event.detector)),
            ("anomaly", event.anomaly_id.clone()),
            ("detector", event.detector.clone()),
            ("severity", names::severity(event.severity)),
            ("node", node.to_owned()),
            ("namespace", named(|it| &it.namespace).to_owned()),
            ("pod", named(|it| &it.pod).to_owned()),
            ("workload", named(|it| &it.workload).to_owned()),
        ] {
            if !value.is_empty() {
                labels.insert(name.to_owned(), value);
            }
        }
        let mut annotations = BTreeMap::from([("summary", event.summary.clone())]);
        if !event.attack_ids.is_empty() {
            annotations.insert("attack", event.attack_ids.join(" "));
        }
        if let Some(runbook) = &self.runbook {
            annotations.insert(
                "runbook_url",
                runbook.replace("{detector}", &event.detector),
            );
        }
        let ends_at = if event.state() == v1::State::Closed {
            times::exact(event.raised_at)
        } else {
            times::exact(now.checked_add(self.lasts))
        };
        Alert {
            labels,
            annotations,
            starts_at: times::exact(event.crossed_at.or(event.raised_at)),
            ends_at,
            generator: self.page.as_ref().map(|page| link(page, &event.anomaly_id)),
        }
    }
}

/// To the anomaly on the page.
fn link(page: &str, anomaly: &str) -> String {
    let anomaly: String = form_urlencoded::byte_serialize(anomaly.as_bytes()).collect();
    format!("{}/anomalies/{anomaly}", page.trim_end_matches('/'))
}

/// As alerts are named: `PortScan`.
fn camel(detector: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|it| it.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let words: String = detector.split('_').map(word).collect();
    format!("Picket{words}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::sample;

    #[test]
    fn an_anomaly_is_one_alert_until_it_is_closed() {
        let writer = Writer {
            labels: BTreeMap::from([("cluster".into(), "prod".into())]),
            runbook: Some("https://runbooks/{detector}".into()),
            page: Some("https://picket.example/".into()),
            lasts: RESEND * MISSED,
        };
        let Entry::Event(mut event) = sample::event() else {
            panic!("no event");
        };
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        let opened = writer.alert(&event, now);
        event.state = v1::State::Updated.into();
        event.summary = "it grows".into();
        let later = now + Duration::from_secs(90);
        let updated = writer.alert(&event, later);
        event.state = v1::State::Closed.into();
        let closed = writer.alert(&event, later);
        assert_eq!(opened.labels, updated.labels);
        assert_eq!(opened.labels, closed.labels);
        assert_eq!(opened.starts_at, closed.starts_at);
        assert_eq!(opened.labels["alertname"], "PicketPortScan");
        assert_eq!(opened.labels["cluster"], "prod");
        assert_eq!(
            opened.annotations["runbook_url"],
            "https://runbooks/port_scan"
        );
        assert_eq!(
            opened.generator.as_deref(),
            Some(
                "https://picket.example/anomalies/node-1%2F1767225600000000000%2F1.1%2Fport_scan%2F1"
            )
        );
        let ends = |alert: &Alert| alert.ends_at.clone().unwrap();
        assert_eq!(ends(&opened), "2026-01-01T00:04:00.000000000Z");
        assert_eq!(ends(&updated), "2026-01-01T00:05:30.000000000Z");
        assert_eq!(ends(&closed), "2026-01-01T00:00:00.000000000Z");
    }
}
