//! The page over TLS: signing in, and what each then sees.

use std::{io, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{
    closed::{ADMIN, Closed, TOKEN, WALL},
    harness::{event, within},
};

/// A connection of a browser that speaks these.
async fn connect(collector: &Closed, protocols: &[&str]) -> io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    let authority = collector.authority.certificate();
    roots
        .add(CertificateDer::from_pem_file(authority).unwrap())
        .unwrap();
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|it| it.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(&collector.page).await.unwrap();
    let name = "127.0.0.1".try_into().unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect(name, stream).await
}

/// Status, head and body of an answer.
async fn ask(
    collector: &Closed,
    method: &str,
    path: &str,
    cookie: &str,
    body: &Value,
) -> (u16, String, Value) {
    let mut stream = connect(collector, &["http/1.1"]).await.unwrap();
    let body = body.to_string();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {}\r\nX-Picket: 1\r\nContent-Type: application/json\r\n\
         Cookie: {cookie}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        collector.page,
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A server that ends the connection without a word of TLS is no matter here.
    drop(within("the answer", stream.read_to_end(&mut answer)).await);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (
        status,
        head.to_owned(),
        serde_json::from_str(body).unwrap_or(Value::Null),
    )
}

async fn sign_in(collector: &Closed, token: &str) -> String {
    let body = json!({"token": token});
    let (status, head, said) = ask(collector, "POST", "/api/v1/caller", "", &body).await;
    assert_eq!(status, 204, "{said}");
    let cookie = head
        .lines()
        .find_map(|it| it.strip_prefix("set-cookie: "))
        .unwrap();
    for attribute in [
        "__Host-picket=",
        "Secure",
        "HttpOnly",
        "SameSite=Strict",
        "Path=/",
    ] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!cookie.contains(token));
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_speaks_what_it_likes_best() {
    let collector = Closed::start().await;
    for (speaks, expected) in [
        (&["h2", "http/1.1"][..], Some("h2")),
        (&["http/1.1"], Some("http/1.1")),
        (&[], None),
    ] {
        let stream = connect(&collector, speaks).await.unwrap();
        let chosen = stream.get_ref().1.alpn_protocol();
        assert_eq!(chosen, expected.map(str::as_bytes), "{speaks:?}");
    }
    assert!(connect(&collector, &["spdy/3"]).await.is_err());
    collector.stop().await;
}

#[tokio::test]
async fn who_signs_in_sees_and_does_what_the_subscribers_file_says() {
    let collector = Closed::start().await;
    let mut agent = collector.agent("n1", "n1").await.unwrap();
    let mut red = event("n1", 2);
    red.source.get_or_insert_default().address = "10.244.147.95".into();
    agent.send_batch(vec![event("n1", 1), red]).await;
    agent.acknowledged().await;
    let get = async |path: &str, cookie: &str| {
        let (status, _, body) = ask(&collector, "GET", path, cookie, &Value::Null).await;
        (status, body)
    };
    let (status, pass) = get("/api/v1/caller", "").await;
    assert_eq!(
        (status, &pass["sign_in_needed"], &pass["signed_in"]),
        (200, &json!(true), &json!(false))
    );
    for path in [
        "/api/v1/anomalies",
        "/api/v1/stream",
        "/api/v1/graph",
        "/api/v1/caller/x",
    ] {
        let (status, _) = get(path, "").await;
        assert!(matches!(status, 401 | 404), "{path}: {status}");
    }
    let (status, _, _) = ask(
        &collector,
        "POST",
        "/api/v1/caller",
        "",
        &json!({"token": "of-nobody-at-all"}),
    )
    .await;
    assert_eq!(status, 401);

    let blue = sign_in(&collector, TOKEN).await;
    let (_, pass) = get("/api/v1/caller", &blue).await;
    assert_eq!(
        (&pass["principal"], &pass["namespaces"]),
        (&json!("blue"), &json!(["blue"]))
    );
    let own = event("n1", 1).anomaly_id;
    let (_, listed) = within("its own", async {
        loop {
            let (status, listed) = get("/api/v1/anomalies", &blue).await;
            if listed["cursor"] == 2 {
                return (status, listed);
            }
        }
    })
    .await;
    assert_eq!(
        (&listed["matching"], &listed["anomalies"][0]["id"]),
        (&json!(1), &json!(own))
    );
    let path = |id: &str| format!("/api/v1/anomalies/{}", id.replace('/', "%2F"));
    let foreign = event("n1", 2).anomaly_id;
    for (what, status) in [
        (path(&own), 200),
        (path(&foreign), 404),
        ("/api/v1/graph?namespace=red".into(), 403),
        ("/api/v1/nodes".into(), 403),
        ("/api/v1/detectors".into(), 403),
        ("/api/v1/pods/red/app2".into(), 403),
        ("/api/v1/pods/red/app2/policy".into(), 403),
    ] {
        assert_eq!(get(&what, &blue).await.0, status, "{what}");
    }
    let triage = async |id: &str, cookie: &str| {
        let body = json!({"kind": "acknowledged"});
        let (status, _, said) = ask(
            &collector,
            "POST",
            &format!("{}/triage", path(id)),
            cookie,
            &body,
        )
        .await;
        (status, said)
    };
    assert_eq!(triage(&foreign, &blue).await.0, 404);
    let (status, said) = triage(&own, &blue).await;
    assert_eq!(
        (status, &said["triage"]["by"]),
        (200, &json!("blue")),
        "{said}"
    );

    let wall = sign_in(&collector, WALL).await;
    assert_eq!(get(&path(&foreign), &wall).await.0, 200);
    let (status, said) = triage(&foreign, &wall).await;
    assert_eq!(status, 403, "{said}");
    for (token, reason) in [(WALL, "detectors: true"), (ADMIN, "--detectors FILE")] {
        let cookie = sign_in(&collector, token).await;
        let (_, listed) = get("/api/v1/detectors", &cookie).await;
        let said = listed["not_writable"].as_str().unwrap();
        assert!(said.contains(reason), "{said}");
    }
    let forged = blue.replace("blue.", "wall.");
    assert_eq!(get("/api/v1/anomalies", &forged).await.0, 401);
    let (status, head, _) = ask(&collector, "DELETE", "/api/v1/caller", &blue, &Value::Null).await;
    assert!(status == 204 && head.contains("Max-Age=0"), "{head}");
    collector.stop().await;
}
