//! A connection to the server that can be written to.

use std::{sync::Arc, time::Duration};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::ring,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tokio_postgres::{Client, Connection, Socket, config::TargetSessionAttrs, tls::MakeTlsConnect};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{super::error::Cause, server::Server};

/// To one of its hosts.
const CONNECT: Duration = Duration::from_secs(5);

/// How long a peer that says nothing is taken to be there.
const IDLE: Duration = Duration::from_secs(10);
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// A writer holds the lock that all others wait for: what keeps it must end soon, also when the collector
/// went without a word. An event that is acknowledged must survive, so the server has to have it on disk.
const SETTINGS: &str = "
    SET search_path TO picket;
    SET client_min_messages TO warning;
    SET lock_timeout TO '10s';
    SET statement_timeout TO '30s';
    SET idle_in_transaction_session_timeout TO '10s';
    SELECT set_config('synchronous_commit', 'on', false)
        WHERE current_setting('synchronous_commit') = 'off';
    SELECT set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
        set_config('tcp_keepalives_count', '3', false);
";

/// A connection that nobody drives yet.
pub(super) type Undriven =
    Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// Connects to the host that can be written to. A standby is none, whatever the URL says: events are not lost
/// to it, but they could not be stored.
pub(super) async fn open(server: &Server) -> Result<(Client, Undriven), Cause> {
    let mut config = server.database.config.clone();
    config
        .target_session_attrs(TargetSessionAttrs::ReadWrite)
        .keepalives_idle(IDLE)
        .tcp_user_timeout(UNACKNOWLEDGED);
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT);
    }
    if config.get_application_name().is_none() {
        config.application_name("picket-collector");
    }
    let connected = config.connect(tls(server)?).await?;
    server.metrics.connected();
    Ok(connected)
}

/// Connects, and sets the connection up.
pub(super) async fn connect(server: &Server) -> Result<Client, Cause> {
    let (client, connection) = open(server).await?;
    // It ends with its client, and its error is the client's.
    tokio::spawn(async move { drop(connection.await) });
    set_up(&client).await?;
    Ok(client)
}

/// The authorities are read for each connection, so that new ones need no restart. Without any, TLS is not
/// used.
fn tls(server: &Server) -> Result<MakeRustlsConnect, Cause> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &server.database.roots {
        let refused = |reason: String| Cause::Certificates {
            path: path.clone(),
            reason,
        };
        let certificates = CertificateDer::pem_file_iter(path);
        for certificate in certificates.map_err(|error| refused(error.to_string()))? {
            let certificate = certificate.map_err(|error| refused(error.to_string()))?;
            let added = roots.add(certificate);
            added.map_err(|error| refused(error.to_string()))?;
        }
        if roots.is_empty() {
            return Err(refused("it has none".into()));
        }
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(Cause::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

pub(super) async fn set_up(client: &Client) -> Result<(), Cause> {
    Ok(client.batch_execute(SETTINGS).await?)
}
