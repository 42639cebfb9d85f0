//! `picket certs`, and the other commands with what it makes.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use api::{
    transport::{Listen, Reception, Tls, TlsFiles},
    v1::subscribe_response::Item,
};

use crate::{
    process::{answer, run},
    server::{Kind, Log, Server, event},
};

async fn refused(arguments: &[&str], words: &[&str]) {
    let output = run(arguments).await;
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success(), "{arguments:?}");
    for word in words {
        assert!(
            errors.contains(word),
            "{arguments:?}: {word} is not in {errors}"
        );
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[tokio::test]
async fn keys_are_for_their_owner_and_an_authority_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("pki");
    let dir = folder.to_str().unwrap();
    let told = answer(&["certs", "init", dir]).await;
    assert!(
        told.contains("--tls-client-ca") && told.contains("ca.crl"),
        "{told}"
    );
    let told = answer(&["certs", "node", dir, "worker-1", "worker-2"]).await;
    assert!(
        told.contains("picket-agent --node worker-2 --tls-ca"),
        "{told}"
    );
    for (file, expected) in [
        ("ca.key", 0o600),
        ("node-worker-1.key", 0o600),
        ("ca.crt", 0o644),
        ("ca.crl", 0o644),
        ("node-worker-1.crt", 0o644),
    ] {
        assert_eq!(mode(&folder.join(file)), expected, "{file}");
    }
    let before = fs::read(folder.join("ca.key")).unwrap();
    refused(&["certs", "init", dir], &["ca.crt", "another folder"]).await;
    assert_eq!(fs::read(folder.join("ca.key")).unwrap(), before);
}

#[tokio::test]
async fn what_cannot_be_certified_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    refused(&["certs", "node", dir, "n1"], &["ca.crt", "certs init"]).await;
    answer(&["certs", "init", dir]).await;
    refused(&["certs", "node", dir, "a/b"], &["`a/b`"]).await;
    refused(&["certs", "subscriber", dir, ""], &["``"]).await;
    refused(&["certs", "server", dir, "under_score"], &["`under_score`"]).await;
    refused(&["certs", "revoke", dir, "nothing"], &["`nothing`"]).await;
    refused(&["certs", "server", dir], &["NAME"]).await;
    fs::write(folder.path().join("ca.key"), "nonsense").unwrap();
    refused(&["certs", "node", dir, "n1"], &["ca.key"]).await;
}

#[tokio::test]
async fn events_come_over_tls_from_the_right_server_alone() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_str().unwrap();
    answer(&["certs", "init", dir]).await;
    answer(&["certs", "server", dir, "127.0.0.1", "localhost"]).await;
    answer(&["certs", "subscriber", dir, "ops"]).await;
    let file = |name: &str| folder.path().join(name);
    let tls = Tls::load(TlsFiles {
        certificate: file("server-127.0.0.1.crt"),
        key: file("server-127.0.0.1.key"),
        client_ca: Some(file("ca.crt")),
        crl: Some(file("ca.crl")),
    });
    let reception = Reception {
        tls: Some(tls.unwrap()),
        ..Reception::default()
    };
    let log = Log::of(Kind::Collector);
    log.append(Item::Event(event(1)));
    let listen: Listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::listening(listen, reception, &log).await;
    let port = server.address.rsplit(':').next().unwrap();

    let path = |name: &str| file(name).display().to_string();
    let (ca, cert, key) = (
        path("ca.crt"),
        path("subscriber-ops.crt"),
        path("subscriber-ops.key"),
    );
    for host in ["127.0.0.1", "localhost"] {
        let address = format!("https://{host}:{port}");
        let own = ["--tls-ca", &ca, "--tls-cert", &cert, "--tls-key", &key];
        let told = answer(&[&["--server", &address, "events", "--json"], &own[..]].concat()).await;
        assert!(told.contains("event 1"), "{told}");
    }

    let address = format!("https://127.0.0.1:{port}");
    refused(&["--server", &address, "events"], &["--tls-ca"]).await;
    let other = tempfile::tempdir().unwrap();
    answer(&["certs", "init", other.path().to_str().unwrap()]).await;
    let foreign = other.path().join("ca.crt").display().to_string();
    let strange = ["--server", &address, "--tls-ca", &foreign, "events"];
    refused(&strange, &["UnknownIssuer"]).await;
    let half = [
        "--server",
        &address,
        "--tls-ca",
        &ca,
        "--tls-cert",
        &cert,
        "events",
    ];
    refused(&half, &["--tls-key"]).await;
    refused(
        &["--server", "http://10.0.0.1:7400", "events"],
        &["https://", "--insecure"],
    )
    .await;
    let token = path("no.token");
    let missing = [
        "--server",
        &address,
        "--tls-ca",
        &ca,
        "--token-file",
        &token,
        "events",
    ];
    refused(&missing, &["no.token"]).await;
    fs::write(&token, "a-token-for-nobody").unwrap();
    let plain = [
        "--server",
        "http://10.0.0.1:7400",
        "--insecure",
        "--token-file",
        &token,
        "events",
    ];
    refused(&plain, &["not sending a token"]).await;
}
