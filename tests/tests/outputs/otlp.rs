//! A receiver of OTLP logs, made of the protocol's own services.

use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use anyhow::{Context as _, Result, ensure};
use opentelemetry_proto::tonic::{
    collector::logs::v1::{
        ExportLogsServiceRequest, ExportLogsServiceResponse,
        logs_service_server::{LogsService, LogsServiceServer},
    },
    common::v1::any_value::Value,
    logs::v1::LogRecord,
};
use prost::Message as _;
use tests::wait_for;
use tokio::{runtime::Builder, sync::oneshot};
use tonic::{Request, Response, Status, transport::Server};

use crate::{
    collector::{Collector, LIMIT},
    events::{NODE, events, publish},
    receiver::{Answer, Receiver, free_port},
};

#[derive(Clone, Default)]
struct Logs {
    taken: Arc<Mutex<Vec<LogRecord>>>,
    asked: Arc<Mutex<u32>>,
}

#[tonic::async_trait]
impl LogsService for Logs {
    async fn export(
        &self,
        request: Request<ExportLogsServiceRequest>,
    ) -> Result<Response<ExportLogsServiceResponse>, Status> {
        let token = request.metadata().get("authorization");
        if token.and_then(|it| it.to_str().ok()) != Some("Bearer s3cret-token") {
            return Err(Status::unauthenticated("no token"));
        }
        let asked = {
            let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
            *asked += 1;
            *asked
        };
        // It fails half the time.
        if asked % 2 == 1 {
            return Err(Status::unavailable("busy"));
        }
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.extend(records(request.into_inner()));
        Ok(Response::new(ExportLogsServiceResponse::default()))
    }
}

fn records(request: ExportLogsServiceRequest) -> impl Iterator<Item = LogRecord> {
    let scopes = request
        .resource_logs
        .into_iter()
        .flat_map(|it| it.scope_logs);
    scopes.flat_map(|it| it.log_records)
}

struct Running {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn start(logs: Logs, port: u16) -> Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel::<()>();
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let thread = thread::spawn(move || {
            let server = Server::builder().add_service(LogsServiceServer::new(logs));
            runtime.block_on(async {
                tokio::select! {
                    served = server.serve(address) => drop(served),
                    _ = stopped => {}
                }
            });
            runtime.shutdown_background();
        });
        Ok(Self {
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let (Some(stop), Some(thread)) = (self.stop.take(), self.thread.take()) {
            stop.send(()).ok();
            thread.join().ok();
        }
    }
}

fn attribute<'a>(record: &'a LogRecord, key: &str) -> &'a str {
    let found = record.attributes.iter().find(|it| it.key == key);
    match found.and_then(|it| it.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        _ => "",
    }
}

fn sequence(record: &LogRecord) -> Option<u64> {
    attribute(record, "picket.id")
        .rsplit('/')
        .next()?
        .parse()
        .ok()
}

#[test]
fn over_grpc_every_event_arrives_though_the_receiver_fails_and_is_restarted() -> Result<()> {
    const EVENTS: u64 = 500;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("token"), "s3cret-token\n")?;
    let port = free_port()?;
    let logs = Logs::default();
    let running = Running::start(logs.clone(), port)?;
    let yaml = format!(
        "outputs:\n- name: otlp\n  from: beginning\n  retry: {{first: 1ms, longest: 50ms}}\n  otlp: {{url: 'http://127.0.0.1:{port}', token_file: token}}\n"
    );
    let mut collector = Collector::start(folder.path(), &yaml)?;
    let count = || {
        logs.taken
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len() as u64
    };
    publish(folder.path(), &events(1..=EVENTS))?;
    wait_for("some events", LIMIT, || Ok((count() >= 64).then_some(())))
        .with_context(|| collector.log())?;
    drop(running);
    publish(folder.path(), &events(EVENTS + 1..=2 * EVENTS))?;
    let _running = Running::start(logs.clone(), port)?;
    collector.kill()?;
    wait_for("every event", LIMIT, || {
        let taken = logs.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let came: BTreeSet<_> = taken.iter().filter_map(sequence).collect();
        Ok((came.len() as u64 == 2 * EVENTS).then_some(()))
    })
    .with_context(|| collector.log())?;
    let taken = logs.taken.lock().unwrap_or_else(PoisonError::into_inner);
    let mut seen = BTreeSet::new();
    let once = taken
        .iter()
        .filter_map(sequence)
        .filter(|it| seen.insert(*it));
    ensure!(once.eq(1..=2 * EVENTS), "out of order");
    // The outage cuts the answer to one batch, the kill comes before the cursor of one is kept.
    ensure!(taken.len() as u64 <= 2 * EVENTS + 2 * 64, "{}", taken.len());
    let record = &taken[0];
    for (key, value) in [
        ("k8s.node.name", NODE),
        ("k8s.namespace.name", "shop"),
        ("k8s.pod.name", "web-0"),
        ("picket.detector", "port_scan"),
        ("picket.state", "opened"),
    ] {
        ensure!(attribute(record, key) == value, "{key}: {record:?}");
    }
    ensure!(record.severity_number == 17 && record.severity_text == "high");
    ensure!(record.event_name == "picket.event" && record.time_unix_nano > 0);
    let original: serde_json::Value = serde_json::from_str(attribute(record, "event.original"))?;
    ensure!(original["id"]["sequence"] == 1, "{original}");
    Ok(())
}

#[test]
fn over_http_the_same_records_are_posted_as_protobuf() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let receiver = Receiver::start(|_| Answer::Take)?;
    let yaml = format!(
        "outputs:\n- name: otlp\n  from: beginning\n  otlp: {{url: 'http://{}', protocol: http}}\n",
        receiver.address
    );
    let collector = Collector::start(folder.path(), &yaml)?;
    publish(folder.path(), &events(1..=100))?;
    let came = || {
        let mut all = Vec::new();
        for posted in receiver.taken() {
            ensure!(posted.header("content-type") == "application/x-protobuf");
            all.extend(records(ExportLogsServiceRequest::decode(posted.body)?));
        }
        Ok(all)
    };
    wait_for("every event", LIMIT, || {
        Ok((came()?.len() >= 100).then_some(()))
    })
    .with_context(|| collector.log())?;
    ensure!(came()?.iter().filter_map(sequence).eq(1..=100));
    Ok(())
}
