//! Connections to the page, received as those of gRPC are.

use std::{future, io};

use api::transport::{Connection, Incoming, Peer};
use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use futures_util::StreamExt as _;
use tonic::transport::server::Connected as _;

/// What comes in.
pub(super) struct Accepting(pub(super) Incoming);

/// Who is at the other end of a request's connection.
#[derive(Clone, Debug)]
pub(super) struct Client(pub(super) Peer);

impl Listener for Accepting {
    type Io = Connection;
    type Addr = Peer;

    async fn accept(&mut self) -> (Connection, Peer) {
        loop {
            match self.0.next().await {
                Some(Ok(connection)) => {
                    let peer = connection.connect_info();
                    return (connection, peer);
                }
                // It is told where it happens.
                Some(Err(_)) => {}
                None => future::pending().await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<Peer> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Connected<IncomingStream<'_, Accepting>> for Client {
    fn connect_info(stream: IncomingStream<'_, Accepting>) -> Self {
        Self(stream.remote_addr().clone())
    }
}
