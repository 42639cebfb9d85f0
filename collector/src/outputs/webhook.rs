//! A webhook: each event is posted, signed as Standard Webhooks has it.
//!
//! <https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md>

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use api::base64;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use ring::hmac;
use serde::Deserialize;

use super::{
    clock,
    entry::{self, id},
    http::{Authority, Headers, Http, Version},
    reader::Reader,
    refusal::{Reason, Refusal, Sent},
    template::Template,
};
use crate::{forms::Form, store::Entry};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// How a secret begins.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, as the specification wants them.
const KEY: std::ops::RangeInclusive<usize> = 24..=64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    url: Option<String>,
    url_file: Option<PathBuf>,
    form: Option<Form>,
    template: Option<String>,
    content_type: Option<String>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    token_file: Option<PathBuf>,
    secret_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Debug)]
pub(super) struct Webhook {
    http: Http,
    body: Body,
    content_type: HeaderValue,
    key: Option<hmac::Key>,
}

#[derive(Debug)]
enum Body {
    Form(Form),
    Template(Box<Template>),
}

impl Webhook {
    pub(super) fn new(settings: Settings, reader: &mut Reader<'_>) -> Result<Self, String> {
        let url = match (settings.url, settings.url_file) {
            (Some(url), None) => url,
            (None, Some(path)) => reader.secret(&path)?,
            _ => return Err("needs either url or url_file".into()),
        };
        let headers = Headers {
            headers: settings.headers,
            token_file: settings.token_file,
        };
        let authority = Authority {
            ca_file: settings.ca_file,
        };
        let http = Http::new(&url, &headers, &authority, Version::One, reader)?;
        let (body, usual) = match (settings.form, settings.template) {
            (Some(_), Some(_)) => return Err("needs either form or template".into()),
            (form, None) => {
                let form = form.unwrap_or(Form::Json);
                (Body::Form(form), form.content_type())
            }
            (None, Some(text)) => {
                let usual = settings
                    .content_type
                    .as_deref()
                    .unwrap_or("application/json");
                let template = Template::new(text, usual.contains("json"))?;
                (Body::Template(Box::new(template)), usual)
            }
        };
        let content_type = settings.content_type.as_deref().unwrap_or(usual);
        let content_type = HeaderValue::from_str(content_type);
        let content_type = content_type.map_err(|_| "content_type is none".to_owned())?;
        let key = settings.secret_file.map(|path| key(&reader.secret(&path)?));
        Ok(Self {
            http,
            body,
            content_type,
            key: key.transpose()?,
        })
    }

    /// Whether this is sent at all.
    pub(super) fn takes(&self, entry: &Entry) -> bool {
        match (&self.body, entry) {
            (Body::Template(template), Entry::Gap(_)) => template.tells_gaps(),
            _ => true,
        }
    }

    pub(super) async fn send(&self, entry: &Entry) -> Sent {
        let body = match &self.body {
            Body::Form(form) => entry::text(*form, entry),
            Body::Template(template) => template.render(entry),
        };
        let body = body.map_err(|why| Refusal::never(Reason::Form, why))?;
        let mut headers = vec![(CONTENT_TYPE, self.content_type.clone())];
        // A full stop separates what is signed, and no node's name has an underscore.
        let id = id(entry).replace('.', "_");
        headers.extend(stamps(&id, clock::now(), &body, self.key.as_ref()));
        self.http.post(body, headers).await
    }
}

fn key(secret: &str) -> Result<hmac::Key, String> {
    let bytes = secret.strip_prefix(PREFIX).and_then(base64::decode);
    let bytes = bytes.filter(|it| KEY.contains(&it.len()));
    let bytes = bytes.ok_or(
        "the secret is none of 24 to 64 bytes: `echo whsec_$(head -c 32 /dev/urandom | base64)` makes one",
    )?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

fn stamps(
    id: &str,
    now: SystemTime,
    body: &str,
    key: Option<&hmac::Key>,
) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let signature = key.map(|key| {
        let tag = hmac::sign(key, format!("{id}.{now}.{body}").as_bytes());
        format!("v1,{}", base64::encode(tag.as_ref()))
    });
    let id = HeaderValue::from_str(id).ok();
    let signature = signature.and_then(|it| HeaderValue::try_from(it).ok());
    [
        (ID, id),
        (TIMESTAMP, Some(now.into())),
        (SIGNATURE, signature),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Of the reference implementations' own tests.
    #[test]
    fn a_body_is_signed_as_the_specification_says() {
        let key = key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let at = UNIX_EPOCH + Duration::from_secs(1_614_265_330);
        let id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
        let all: Vec<_> = stamps(id, at, "{\"test\": 2432232314}", Some(&key)).collect();
        let told: Vec<_> = all.iter().map(|(_, it)| it.to_str().unwrap()).collect();
        let signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(told, [id, "1614265330", signature]);
    }

    #[test]
    fn a_secret_is_long_enough_and_never_told() {
        for wrong in [
            "s3cret",
            "whsec_s3cret",
            "whsec_",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ] {
            let error = key(wrong).unwrap_err();
            assert!(
                error.contains("whsec_$") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
