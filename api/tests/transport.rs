//! Addresses, and real servers and clients on them.

use std::{error::Error, fs, os::unix::net::UnixListener};

use api::{
    transport::{Incoming, Listen, Remote, TransportError},
    v1::{
        ListNodesRequest, ListNodesResponse, TestNodesRequest, TestNodesResponse,
        nodes_client::NodesClient,
        nodes_server::{Nodes, NodesServer},
    },
};
use tokio::task::JoinHandle;
use tonic::{Request, Response, Status, transport::Server};

struct NoNodes;

#[tonic::async_trait]
impl Nodes for NoNodes {
    async fn list(
        &self,
        _: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        Ok(Response::new(ListNodesResponse::default()))
    }

    async fn test(
        &self,
        _: Request<TestNodesRequest>,
    ) -> Result<Response<TestNodesResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}

fn serve(incoming: Incoming) -> JoinHandle<Result<(), tonic::transport::Error>> {
    let server = Server::builder().add_service(NodesServer::new(NoNodes));
    tokio::spawn(server.serve_with_incoming(incoming))
}

async fn ask(remote: &str) -> Result<(), Box<dyn Error>> {
    let channel = remote.parse::<Remote>()?.connect().await?;
    NodesClient::new(channel).list(ListNodesRequest {}).await?;
    Ok(())
}

#[test]
fn an_address_is_shown_as_it_is_written() {
    for text in ["127.0.0.1:7400", "[::1]:7400", "unix:/run/picket.sock"] {
        assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
    }
    for text in [
        "http://collector:7400",
        "http://[::1]:7400",
        "https://collector:7400",
        "unix:/run/picket.sock",
    ] {
        assert_eq!(text.parse::<Remote>().unwrap().to_string(), text);
    }
}

#[test]
fn what_is_no_address_is_refused_with_an_example() {
    for text in ["", "7400", "127.0.0.1", "host:7400", "unix:", "unix://"] {
        let message = text.parse::<Listen>().unwrap_err().to_string();
        assert!(message.contains(&format!("`{text}`")) && message.contains("127.0.0.1:7400"));
    }
    for text in [
        "",
        "127.0.0.1:7400",
        "http://127.0.0.1",
        "http://127.0.0.1:7400/path",
        "unix:",
        "unix:///",
    ] {
        let message = text.parse::<Remote>().err().map(|error| error.to_string());
        let message = message.unwrap_or_else(|| panic!("{text} was taken"));
        assert!(
            message.contains(&format!("`{text}`")) && message.contains("http://127.0.0.1:7400")
        );
    }
}

#[tokio::test]
async fn a_client_reaches_a_server_over_tcp() {
    let incoming = "127.0.0.1:0"
        .parse::<Listen>()
        .unwrap()
        .bind()
        .await
        .unwrap();
    let remote = format!("http://{}", incoming.local());
    assert!(!remote.ends_with(":0"));
    let server = serve(incoming);
    ask(&remote).await.unwrap();
    server.abort();
}

#[tokio::test]
async fn a_client_reaches_a_server_over_a_unix_socket_that_goes_with_the_server() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picket.sock");
    let text = format!("unix:{}", path.display());
    let server = serve(text.parse::<Listen>().unwrap().bind().await.unwrap());
    ask(&text).await.unwrap();
    server.abort();
    assert!(server.await.unwrap_err().is_cancelled());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_socket_is_replaced_when_nobody_listens_on_it_and_not_before() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("picket.sock");
    let listen: Listen = format!("unix:{}", path.display()).parse().unwrap();

    let other = UnixListener::bind(&path).unwrap();
    let error = listen.bind().await.unwrap_err();
    assert!(matches!(error, TransportError::Taken { .. }), "{error}");

    drop(other);
    assert!(path.exists(), "a killed server leaves its socket");
    drop(listen.bind().await.unwrap());

    fs::write(&path, "precious").unwrap();
    let error = listen.bind().await.unwrap_err();
    assert!(
        matches!(error, TransportError::NotASocket { .. }),
        "{error}"
    );
    assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = "127.0.0.1:0"
        .parse::<Listen>()
        .unwrap()
        .bind()
        .await
        .unwrap();
    let error = first.local().bind().await.unwrap_err();
    let message = error.to_string();
    assert!(message.contains(&first.local().to_string()), "{message}");
    assert!(message.contains("another program"), "{message}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_named() {
    let incoming = "127.0.0.1:0"
        .parse::<Listen>()
        .unwrap()
        .bind()
        .await
        .unwrap();
    let remote = format!("http://{}", incoming.local());
    drop(incoming);
    let message = ask(&remote).await.unwrap_err().to_string();
    assert!(message.contains(&remote), "{message}");
}
