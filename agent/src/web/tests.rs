//! What the endpoints answer.

use prometheus_client::metrics::counter::Counter;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::*;

async fn fetch(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: agent\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_is_ready_when_the_last_guard_is_dropped() {
    let readiness = Readiness::default();
    let programs = readiness.wait_for("programs");
    let interfaces = readiness.wait_for("interfaces");
    let mut registry = Registry::default();
    let drops = Counter::<u64>::default();
    registry.register("records_dropped", "Records without room", drops.clone());

    let web = Web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = web.local().unwrap();
    let server = tokio::spawn(web.run(registry, readiness));

    let answer = fetch(address, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(
        answer.ends_with("not ready: interfaces, programs\n"),
        "{answer}"
    );
    drop(programs);
    let answer = fetch(address, "/readyz").await;
    assert!(answer.ends_with("not ready: interfaces\n"), "{answer}");
    drop(interfaces);
    assert!(fetch(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    assert!(fetch(address, "/healthz").await.starts_with("HTTP/1.1 200"));

    drops.inc_by(3);
    let answer = fetch(address, "/metrics").await;
    assert!(answer.contains(OPENMETRICS), "{answer}");
    assert!(answer.contains("\nrecords_dropped_total 3\n"), "{answer}");
    server.abort();
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = Web::bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = first.local().unwrap();
    let said = Web::bind(address).await.unwrap_err().to_string();
    let expected = format!("cannot serve metrics on {address}: stop what listens there");
    assert!(said.starts_with(&expected), "{said}");
}
