//! Slack, by an incoming webhook.

use std::path::PathBuf;

use api::{names, v1};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    entry::sentence,
    http::{Authority, Headers, Http, Version},
    reader::Reader,
    refusal::Sent,
};
use crate::store::Entry;

/// Characters of a text, as Slack bounds them, with room to spare.
const LONGEST: usize = 2900;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// The URL is all that one needs to write to the channel.
    url_file: PathBuf,
    ca_file: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Slack(Http);

impl Slack {
    pub(super) fn new(settings: Settings, reader: &mut Reader<'_>) -> Result<Self, String> {
        let url = reader.secret(&settings.url_file)?;
        let authority = Authority {
            ca_file: settings.ca_file,
        };
        Http::new(&url, &Headers::default(), &authority, Version::One, reader).map(Self)
    }

    pub(super) async fn send(&self, entry: &Entry) -> Sent {
        let json = HeaderValue::from_static("application/json");
        self.0
            .post(message(entry).to_string(), [(CONTENT_TYPE, json)])
            .await
    }
}

/// Whatever traffic can name is plain text: it mentions nobody and links nowhere.
fn message(entry: &Entry) -> Value {
    let sentence = cut(&sentence(entry));
    let plain = |text: &str| json!({"type": "plain_text", "text": text, "emoji": false});
    let mut blocks = vec![json!({"type": "section", "text": plain(&sentence)})];
    if let Entry::Event(event) = entry {
        let elements: Vec<_> = context(event).iter().map(|it| plain(&cut(it))).collect();
        blocks.push(json!({"type": "context", "elements": elements}));
    }
    json!({"text": escaped(&sentence), "blocks": blocks})
}

fn context(event: &v1::Event) -> Vec<String> {
    let node = event.id.as_ref().map_or("", |id| &id.node);
    vec![
        format!("severity {}", names::severity(event.severity)),
        format!("{} {}", event.detector, names::state(event.state)),
        format!("node {node}"),
        format!("anomaly {}", event.anomaly_id),
    ]
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// <https://docs.slack.dev/messaging/formatting-message-text#escaping>
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outputs::sample;

    #[test]
    fn a_hostile_name_calls_nobody() {
        let Entry::Event(mut event) = sample::event() else {
            panic!("no event");
        };
        event.summary = "<!channel> & <https://evil|good>".into();
        let message = message(&Entry::Event(event));
        assert_eq!(
            message["text"],
            "&lt;!channel&gt; &amp; &lt;https://evil|good&gt;"
        );
        for block in message["blocks"].as_array().unwrap() {
            assert!(!block.to_string().contains("mrkdwn"), "{block}");
        }
        assert_eq!(message["blocks"][1]["elements"][0]["text"], "severity low");
    }
}
