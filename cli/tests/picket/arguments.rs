//! The command line itself, and its help in other forms.

use std::{fs, io::Write as _, net::TcpListener, thread};

use api::transport::Listen;

use crate::process::{answer, run};

#[tokio::test]
async fn usage_errors_name_the_value_and_exit_with_2() {
    let cases: [(&[&str], &str); 16] = [
        (&[], "Usage: picket"),
        (&["event"], "a similar subcommand exists: 'events'"),
        (
            &["events", "--since", "yesterday"],
            "neither a duration such as 1h",
        ),
        (
            &["events", "--after", "x"],
            "invalid value 'x' for '--after <CURSOR>'",
        ),
        (
            &["events", "--state", "open"],
            "[possible values: opened, updated, closed]",
        ),
        (
            &["events", "--min-severity", "critical"],
            "[possible values: info, low, medium, high]",
        ),
        (&["events", "--limit", "0"], "0 is not in 1.."),
        (
            &["events", "--pod", "a[b]"],
            "it takes NAME or NAMESPACE/NAME",
        ),
        (&["events", "--not", "colour=red"], "it takes FIELD=VALUE"),
        (
            &["anomalies", "--not", "severity=grave"],
            "there are info, low, medium and high",
        ),
        (
            &["anomalies", "--until", "soon"],
            "neither a duration such as 1h",
        ),
        (
            &["events", "--follow", "--until", "1h"],
            "cannot be used with",
        ),
        (
            &["graph", "-o", "xml"],
            "[possible values: compact, wide, json, yaml]",
        ),
        (&["status", "--json", "-o", "yaml"], "cannot be used with"),
        (
            &["status", "--server", "127.0.0.1"],
            "http://127.0.0.1:7400 or unix:",
        ),
        (&["completions", "tcsh"], "[possible values: bash,"),
    ];
    for (arguments, expected) in cases {
        let output = run(arguments).await;
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(expected), "{arguments:?}: {errors}");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[tokio::test]
async fn a_port_that_does_not_speak_grpc_is_named() {
    let cases = [
        (
            http1(),
            "check that it runs, and that --server names its gRPC port",
        ),
        (
            http2().await,
            "lists no nodes: it is not a gRPC port of Picket",
        ),
    ];
    for (address, expected) in cases {
        let output = run(&["status", "--server", &address]).await;

        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains(&address), "{errors}");
        assert!(errors.contains(expected), "{errors}");
        assert_eq!(output.status.code(), Some(1));
    }
}

#[tokio::test]
async fn every_command_has_a_man_page_and_every_shell_a_completion() {
    let directory = tempfile::tempdir().unwrap();
    let pages = directory.path().join("man1");
    assert_eq!(answer(&["man", pages.to_str().unwrap()]).await, "");
    for page in [
        "picket",
        "picket-events",
        "picket-status",
        "picket-completions",
        "picket-man",
    ] {
        let text = fs::read_to_string(pages.join(format!("{page}.1"))).unwrap();
        assert!(text.contains(".SH SYNOPSIS"), "{page}: {text}");
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(
            answer(&["completions", shell])
                .await
                .contains("min-severity"),
            "{shell}"
        );
    }

    let file = directory.path().join("file");
    fs::write(&file, "").unwrap();
    let output = run(&["man", file.to_str().unwrap()]).await;
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        errors.contains("name a directory you may write to"),
        "{errors}"
    );
    assert_eq!(output.status.code(), Some(1));
}

/// A server that only knows HTTP/1.
fn http1() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let answer = b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).unwrap();
    });
    address
}

/// A server that knows HTTP/2 and no gRPC, as the daemons' own for metrics.
async fn http2() -> String {
    let incoming = Listen::Tcp(([127, 0, 0, 1], 0).into())
        .bind()
        .await
        .unwrap();
    let address = format!("http://{}", incoming.local());
    let routes = tonic::service::Routes::from(axum::Router::new());
    tokio::spawn(
        tonic::transport::Server::builder()
            .add_routes(routes)
            .serve_with_incoming(incoming),
    );
    address
}
