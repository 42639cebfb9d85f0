//! OTLP: log records, over gRPC or HTTP with protobuf.
//!
//! <https://opentelemetry.io/docs/specs/otlp/>

mod record;

use std::{collections::BTreeMap, path::PathBuf};

use hyper::{
    Uri,
    header::{CONTENT_TYPE, HeaderValue},
};
use opentelemetry_proto::tonic::{
    collector::logs::v1::{ExportLogsServiceRequest, logs_service_client::LogsServiceClient},
    common::v1::InstrumentationScope,
    logs::v1::{ResourceLogs, ScopeLogs},
    resource::v1::Resource,
};
use prost::Message as _;
use serde::Deserialize;
use tonic::{Code, Request, Status, body::Body, metadata::MetadataMap};

use super::{
    clock,
    http::{Authority, Headers, Http, Version},
    reader::Reader,
    refusal::{Reason, Refusal, Sent},
};
use crate::{forms::Form, store::Entry};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// As in `https://host:4317`; with HTTP, `/v1/logs` follows it.
    url: String,
    #[serde(default)]
    protocol: Protocol,
    form: Option<Form>,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    token_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Protocol {
    #[default]
    Grpc,
    Http,
}

#[derive(Debug)]
pub(super) struct Otlp {
    over: Over,
    form: Form,
}

#[derive(Debug)]
enum Over {
    Grpc(Http<Body>),
    Http(Http),
}

impl Otlp {
    pub(super) fn new(settings: Settings, reader: &mut Reader<'_>) -> Result<Self, String> {
        let headers = Headers {
            headers: settings.headers,
            token_file: settings.token_file,
        };
        let authority = Authority {
            ca_file: settings.ca_file,
        };
        let url = settings.url.trim_end_matches('/');
        let over = match settings.protocol {
            Protocol::Grpc => {
                Over::Grpc(Http::new(url, &headers, &authority, Version::Two, reader)?)
            }
            Protocol::Http => {
                let url = format!("{url}/v1/logs");
                Over::Http(Http::new(&url, &headers, &authority, Version::One, reader)?)
            }
        };
        Ok(Self {
            over,
            form: settings.form.unwrap_or(Form::Json),
        })
    }

    pub(super) async fn send(&self, entries: &[&Entry]) -> Sent {
        let now = clock::now();
        let records = entries.iter().map(|it| record::of(it, self.form, now));
        let records = records.collect::<Result<_, _>>();
        let records = records.map_err(|why| Refusal::never(Reason::Form, why))?;
        let scope = InstrumentationScope {
            name: "picket".into(),
            version: env!("CARGO_PKG_VERSION").into(),
            ..InstrumentationScope::default()
        };
        let request = ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(Resource {
                    attributes: vec![record::text("service.name", "picket")],
                    ..Resource::default()
                }),
                scope_logs: vec![ScopeLogs {
                    scope: Some(scope),
                    log_records: records,
                    ..ScopeLogs::default()
                }],
                ..ResourceLogs::default()
            }],
        };
        match &self.over {
            Over::Grpc(http) => grpc(http, request).await,
            Over::Http(http) => {
                let protobuf = HeaderValue::from_static("application/x-protobuf");
                http.post(request.encode_to_vec(), [(CONTENT_TYPE, protobuf)])
                    .await
            }
        }
    }
}

async fn grpc(http: &Http<Body>, request: ExportLogsServiceRequest) -> Sent {
    // The client adds the method's path to it.
    let origin = Uri::builder()
        .scheme(http.uri.scheme_str().unwrap_or_default())
        .authority(http.uri.authority().map_or("", |it| it.as_str()))
        .path_and_query("")
        .build()
        .map_err(|error| Refusal::later(error.to_string()))?;
    let mut client = LogsServiceClient::with_origin(http.client.clone(), origin);
    let metadata = MetadataMap::from_headers(http.headers.clone());
    let request = Request::from_parts(metadata, tonic::Extensions::default(), request);
    match client.export(request).await {
        Ok(answer) => {
            let partial = answer.into_inner().partial_success;
            let rejected = partial.map_or(0, |it| it.rejected_log_records);
            Ok(u64::try_from(rejected).unwrap_or(0))
        }
        Err(status) => Err(judged(&status)),
    }
}

/// Which failures are worth another attempt, as the specification lists them.
fn judged(status: &Status) -> Refusal {
    let why = format!(
        "it answers {:?}: {}",
        status.code(),
        api::transport::cause(status)
    );
    let is_broken = std::error::Error::source(status).is_some();
    match status.code() {
        Code::Cancelled
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::OutOfRange
        | Code::Unavailable
        | Code::DataLoss
        | Code::Unauthenticated => Refusal::Later {
            after: api::retry::delay(status),
            why,
        },
        // The connection, and not the receiver, said so.
        _ if is_broken => Refusal::later(why),
        _ => Refusal::never(Reason::Refused, why),
    }
}
