//! What a server lets its peers take of it, with real connections.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is tests, not only the functions that say so"
)]

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use api::{
    retry,
    transport::{Limits, Listen, Peer, Rate, Reception, Refused, Remote, Reread, Tally},
    v1::{
        ListNodesRequest, ListNodesResponse, TestNodesRequest, TestNodesResponse,
        nodes_client::NodesClient,
        nodes_server::{Nodes, NodesServer},
    },
};
use tokio::{io::AsyncReadExt as _, net::TcpStream, time::timeout};
use tonic::{Code, Request, Response, Status, transport::Server};

#[derive(Debug, Default)]
struct Counts(Mutex<BTreeMap<&'static str, u64>>);

impl Counts {
    fn of(&self, refused: Refused) -> u64 {
        let counts = self.0.lock().unwrap();
        counts.get(refused.name()).copied().unwrap_or_default()
    }
}

impl Tally for Counts {
    fn refused(&self, refused: Refused) {
        *self.0.lock().unwrap().entry(refused.name()).or_default() += 1;
    }

    fn reread(&self, _: Reread) {}
}

struct NoNodes;

#[tonic::async_trait]
impl Nodes for NoNodes {
    #[expect(clippy::disallowed_methods, reason = "requests own this clock")]
    async fn list(
        &self,
        request: Request<ListNodesRequest>,
    ) -> Result<Response<ListNodesResponse>, Status> {
        let peer = request.extensions().get::<Peer>().unwrap();
        peer.admit();
        let asked = peer.ask(Instant::now());
        asked.map_err(|delay| retry::after(delay, "too fast"))?;
        Ok(Response::new(ListNodesResponse::default()))
    }

    async fn test(
        &self,
        _: Request<TestNodesRequest>,
    ) -> Result<Response<TestNodesResponse>, Status> {
        Err(Status::unimplemented("nobody asks"))
    }
}

async fn serve(limits: Limits) -> (String, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let reception = Reception {
        limits,
        tally: Arc::<Counts>::clone(&counts),
        ..Reception::default()
    };
    let listen: Listen = "127.0.0.1:0".parse().unwrap();
    let incoming = listen.bind_with(reception).await.unwrap();
    let address = incoming.local().to_string();
    let server = Server::builder().add_service(NodesServer::new(NoNodes));
    tokio::spawn(server.serve_with_incoming(incoming));
    (address, counts)
}

/// Whether the server ends the connection, before long.
async fn ends(mut stream: TcpStream) -> bool {
    let mut rest = Vec::new();
    let end = timeout(Duration::from_secs(20), stream.read_to_end(&mut rest));
    end.await.is_ok()
}

#[tokio::test]
async fn who_asks_for_nothing_is_sent_away_and_who_has_asked_stays() {
    let silence = Duration::from_millis(300);
    let (address, counts) = serve(Limits {
        silence,
        ..Limits::default()
    })
    .await;
    let remote: Remote = format!("http://{address}").parse().unwrap();
    let mut client = NodesClient::new(remote.connect().await.unwrap());
    client.list(ListNodesRequest {}).await.unwrap();
    assert!(ends(TcpStream::connect(&address).await.unwrap()).await);
    assert_eq!(counts.of(Refused::Silent), 1);
    client.list(ListNodesRequest {}).await.unwrap();
}

#[tokio::test]
async fn one_address_has_its_bound_and_frees_it_by_leaving() {
    let (address, counts) = serve(Limits {
        per_address: 3,
        ..Limits::default()
    })
    .await;
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(TcpStream::connect(&address).await.unwrap());
    }
    assert!(ends(TcpStream::connect(&address).await.unwrap()).await);
    assert_eq!(counts.of(Refused::AddressConnections), 1);
    drop(held);
    let remote: Remote = format!("http://{address}").parse().unwrap();
    let answered = async {
        loop {
            // The server may not have seen them leave yet.
            if let Ok(channel) = remote.connect().await
                && NodesClient::new(channel)
                    .list(ListNodesRequest {})
                    .await
                    .is_ok()
            {
                return;
            }
        }
    };
    timeout(Duration::from_secs(20), answered).await.unwrap();
}

#[tokio::test]
async fn who_asks_too_often_is_told_how_long_to_wait() {
    let (address, counts) = serve(Limits {
        requests: Rate {
            burst: 2,
            per_second: 1,
        },
        ..Limits::default()
    })
    .await;
    let remote: Remote = format!("http://{address}").parse().unwrap();
    let mut client = NodesClient::new(remote.connect().await.unwrap());
    for _ in 0..2 {
        client.list(ListNodesRequest {}).await.unwrap();
    }
    let refused = client.list(ListNodesRequest {}).await.unwrap_err();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    let delay = retry::delay(&refused).unwrap();
    assert!(
        delay > Duration::ZERO && delay <= Duration::from_secs(1),
        "{delay:?}"
    );
    assert_eq!(counts.of(Refused::RequestRate), 1);
}
